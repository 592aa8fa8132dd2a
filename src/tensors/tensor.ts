/**
 * A tensor in linear memory: 64-byte aligned, zero-padded to whole turns of the kernels' loops.
 *
 * Invariant: `data` is a view over exactly the tensor's elements, good until memory grows; the
 * padding behind them is zero. A tensor whose memory was given back hands out no view of it.
 */

import { DisposedError } from '../errors';
import { elementCount } from '../math/shape';
import { UNROLL } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';

/**
 * Large tensors of equal size would begin at addresses that differ by a multiple of many cache
 * lines and pages, so that a step's four streams compete for the same sets of every cache: measured
 * 10% slower at 16.7 million parameters.
 */
const LARGE_BYTES = 2 ** 24;
const STAGGER_BYTES = 1088;

let disposals = 0;

/**
 * @internal How many tensors have been disposed of so far: while it stands still, so does what was
 * found out about them.
 */
export function disposalCount(): number {
  return disposals;
}

/**
 * A float32 array in linear memory, such as a weight or a running statistic of a model. Read and
 * write its elements through `data`.
 */
export class Tensor {
  /** @internal The runtime in whose memory the tensor lies. */
  readonly runtime: Runtime;
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly length: number;
  /** @internal Number of elements with padding. */
  readonly paddedLength: number;
  /** @internal Byte offset in linear memory. */
  readonly address: number;
  #view: Float32Array | null = null;
  #disposed = false;

  /** @internal Allocates a tensor of zeros. @throws OutOfMemoryError */
  constructor(runtime: Runtime, shape: readonly number[]) {
    this.runtime = runtime;
    this.shape = Object.freeze([...shape]);
    this.length = elementCount(shape);
    this.paddedLength = paddedElements(this.length);
    this.address = runtime.arena.allocate(tensorBytes(this.length));
  }

  /** Size in linear memory, with padding, bytes. */
  get byteLength(): number {
    return 4 * this.paddedLength;
  }

  /**
   * A live view of the elements, row-major. Ask again after anything that may allocate.
   * @throws DisposedError after `dispose`
   */
  get data(): Float32Array {
    if (this.#disposed) throw new DisposedError('a tensor');
    const { buffer } = this.runtime.memory;
    if (this.#view?.buffer !== buffer)
      this.#view = new Float32Array(buffer, this.address, this.length);
    return this.#view;
  }

  /** Whether the memory has been released. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * @internal Zeroes and releases the memory.
   * @throws BusyError while a step is running; nothing has changed then
   */
  dispose(): void {
    if (this.#disposed) return;
    const arena = this.runtime.disposed ? null : this.runtime.arena;
    this.#disposed = true;
    disposals++;
    arena?.release(this.address);
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
