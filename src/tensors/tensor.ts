/**
 * A tensor in linear memory: 64-byte aligned, zero-padded to whole turns of the kernels' loops.
 *
 * Invariant: `data` is a view over exactly the tensor's elements, good until memory grows; the padding behind them is zero.
 */
import { UNROLL } from '../abi/layout';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';

/**
 * Large tensors of equal size would begin at addresses that differ by a multiple of many cache lines and pages, so that a step's
 * four streams compete for the same sets of every cache: measured 10% slower at 16.7 million parameters.
 */
const LARGE_BYTES = 2 ** 24;
const STAGGER_BYTES = 1088;

export class Tensor {
  readonly runtime: Runtime;
  readonly shape: readonly number[];
  /** Elements. */
  readonly length: number;
  /** Elements with padding. */
  readonly paddedLength: number;
  /** Byte offset in linear memory. */
  readonly address: number;
  #view: Float32Array | null = null;
  #disposed = false;

  /** All zero. @throws OutOfMemoryError */
  constructor(runtime: Runtime, shape: readonly number[]) {
    this.runtime = runtime;
    this.shape = Object.freeze([...shape]);
    this.length = elementCount(shape);
    this.paddedLength = paddedElements(this.length);
    this.address = runtime.arena.allocate(tensorBytes(this.length));
  }

  /** Bytes that its elements take, padding included. */
  get byteLength(): number {
    return 4 * this.paddedLength;
  }

  /** A live view of the elements, row-major. Ask again after anything that may allocate. */
  get data(): Float32Array {
    const { buffer } = this.runtime.memory;
    if (this.#view?.buffer !== buffer) this.#view = new Float32Array(buffer, this.address, this.length);
    return this.#view;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Gives the memory back, zeroed. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.runtime.disposed) this.runtime.arena.release(this.address);
  }
}

/** Elements with padding. */
function paddedElements(length: number): number {
  return Math.ceil(length / UNROLL) * UNROLL;
}

/** Bytes that a tensor of `length` elements takes of linear memory. */
export function tensorBytes(length: number): number {
  const bytes = 4 * paddedElements(length);
  return bytes >= LARGE_BYTES ? bytes + STAGGER_BYTES : bytes;
}
