/**
 * A tensor in linear memory: 64-byte aligned, and zero-padded to a multiple of the number of
 * elements that a kernel's loop takes at once.
 *
 * Invariant: `data` is a view of exactly the tensor's elements, valid until memory grows; the
 * padding after them is zero. A disposed tensor returns no view.
 */

import { DisposedError } from '../errors';
import { elementCount } from '../math/shape';
import { UNROLL } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';

/**
 * Extra bytes for large tensors. Without them, large tensors of equal size start at addresses that
 * differ by a multiple of many cache lines and pages, and the four streams of a step compete for
 * the same sets of every cache: measured 10% slower at 16.7 million parameters.
 */
const LARGE_BYTES = 2 ** 24;
const STAGGER_BYTES = 1088;

let disposals = 0;

/**
 * @internal Returns the number of tensors disposed so far. While it stays the same, no tensor that
 * was found alive can have been disposed.
 */
export function disposalCount(): number {
  return disposals;
}

/**
 * A float32 tensor in the linear memory of a runtime.
 *
 * The library creates tensors: `model.weights` has those of a model, and `parameter.value` and
 * `parameter.grad` those of a parameter. Whoever created a tensor disposes it: dispose the model or
 * the optimizer, not its tensors.
 *
 * @example
 * const { data, shape } = model.weights['dense1.weight'];
 * data.fill(0); // writes into linear memory
 */
export class Tensor {
  /** @internal Runtime in whose linear memory the tensor lies. */
  readonly runtime: Runtime;
  /** Sizes, row-major. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly length: number;
  /** @internal Number of elements with padding. */
  readonly paddedLength: number;
  /** @internal Byte offset in linear memory. */
  readonly address: number;
  #view: Float32Array | null = null;
  #disposed = false;

  /**
   * @internal Allocates a tensor of zeros.
   * @throws OutOfMemoryError
   */
  constructor(runtime: Runtime, shape: readonly number[]) {
    this.runtime = runtime;
    this.shape = Object.freeze([...shape]);
    this.length = elementCount(shape);
    this.paddedLength = paddedElements(this.length);
    this.address = runtime.arena.allocate(tensorBytes(this.length));
  }

  /** Number of bytes of the elements, including padding. */
  get byteLength(): number {
    return 4 * this.paddedLength;
  }

  /**
   * Live view of the elements, row-major. Read the property again after any call that may allocate:
   * when linear memory grows, earlier views become detached.
   * @throws DisposedError after `dispose`
   */
  get data(): Float32Array {
    if (this.#disposed) throw new DisposedError('a tensor');
    const { buffer } = this.runtime.memory;
    if (this.#view?.buffer !== buffer)
      this.#view = new Float32Array(buffer, this.address, this.length);
    return this.#view;
  }

  /** Whether the memory has been freed. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * @internal Zeroes the memory and frees it.
   * @throws BusyError during a step; nothing has changed then
   */
  dispose(): void {
    if (this.#disposed) return;
    const arena = this.runtime.disposed ? null : this.runtime.arena;
    this.#disposed = true;
    disposals++;
    arena?.release(this.address);
  }
}

/** Returns the number of elements with padding. */
function paddedElements(length: number): number {
  return Math.ceil(length / UNROLL) * UNROLL;
}

/** Returns the bytes that a tensor of `length` elements takes of linear memory. */
export function tensorBytes(length: number): number {
  const bytes = 4 * paddedElements(length);
  return bytes >= LARGE_BYTES ? bytes + STAGGER_BYTES : bytes;
}
