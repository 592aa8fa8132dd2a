/**
 * The allocator of linear memory: first fit; adjacent free ranges are merged.
 *
 * Invariant: every allocation is aligned to ALIGNMENT, its length is a multiple of ALIGNMENT, and
 * all its bytes are zero, so that no tensor reads another's bytes and padding starts as zero. The
 * first ALIGNMENT bytes are never allocated, so 0 is not a valid address. Neither are the last ones
 * below 4 GiB, so that an end pointer always fits in 32 bits.
 */

import { OutOfMemoryError } from '../errors';
import { ALIGNMENT } from '../memory-layout/constants';
import { type LinearMemory, MAX_MEMORY_BYTES, PAGE } from './memory';

/** A range of addresses: `start` inclusive, `end` exclusive. */
interface Range {
  start: number;
  end: number;
}

/** Allocates zeroed ranges of one linear memory, growing it when needed. */
export class Arena {
  readonly memory: LinearMemory;
  /** The free ranges below `#top`, in order of address; no two of them are adjacent. */
  readonly #free: Range[] = [];
  readonly #sizes = new Map<number, number>();
  #top = ALIGNMENT;
  #usedBytes = 0;

  constructor(memory: LinearMemory) {
    this.memory = memory;
  }

  /** Bytes allocated and not yet released. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of the largest allocation that would still succeed. */
  get availableBytes(): number {
    const largestHole = this.#free.reduce(
      (largest, range) => Math.max(largest, range.end - range.start),
      0,
    );
    return Math.max(largestHole, this.#limit - this.#top);
  }

  get #limit(): number {
    return Math.min(this.memory.maximumBytes, MAX_MEMORY_BYTES - ALIGNMENT);
  }

  /**
   * Allocates `bytes` zeroed bytes and returns their address.
   * @throws OutOfMemoryError if they do not fit; nothing has changed then
   */
  allocate(bytes: number): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const hole = this.#free.findIndex((range) => range.end - range.start >= size);
    let address: number;
    if (hole >= 0) {
      const range = this.#free[hole];
      address = range.start;
      range.start += size;
      if (range.start === range.end) this.#free.splice(hole, 1);
    } else {
      address = this.#top;
      this.#growTo(address + size, bytes);
      this.#top = address + size;
    }
    this.#sizes.set(address, size);
    this.#usedBytes += size;
    return address;
  }

  /** Zeroes an allocation and makes its bytes available again. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new RangeError(`no allocation at address ${address}`);
    this.#sizes.delete(address);
    this.#usedBytes -= size;
    new Uint8Array(this.memory.buffer, address, size).fill(0);
    const next = this.#free.findIndex((range) => range.start > address);
    const index = next < 0 ? this.#free.length : next;
    const range: Range = { start: address, end: address + size };
    const before = this.#free[index - 1];
    const after = this.#free[index];
    if (after?.start === range.end) {
      range.end = after.end;
      this.#free.splice(index, 1);
    }
    if (before?.end === range.start) {
      before.end = range.end;
    } else {
      this.#free.splice(index, 0, range);
    }
    const last = this.#free.at(-1);
    if (last && last.end === this.#top) {
      this.#top = last.start;
      this.#free.pop();
    }
  }

  #growTo(end: number, wanted: number): void {
    if (end > this.#limit)
      throw new OutOfMemoryError(wanted, this.availableBytes, this.memory.maximumBytes);
    const have = this.memory.byteLength;
    if (end <= have) return;
    try {
      this.memory.grow(Math.ceil((end - have) / PAGE));
    } catch (cause) {
      const error = new OutOfMemoryError(
        wanted,
        Math.max(0, have - this.#top),
        this.memory.maximumBytes,
      );
      error.cause = cause;
      throw error;
    }
  }
}
