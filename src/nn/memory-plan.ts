/**
 * Places buffers that are each in use for part of the time within one allocation.
 *
 * Invariant: buffers whose times overlap never overlap in memory; every offset is a multiple of
 * ALIGNMENT.
 */
import { alignedBytes } from '../memory-layout/nn-layout';

/** A buffer that is in use from `from` to `to`, both included. */
export interface BufferLife {
  readonly bytes: number;
  from: number;
  to: number;
}

/** The places of buffers in their allocation. */
export interface Placement {
  /** Byte offsets, in the order of the buffers. */
  readonly offsets: readonly number[];
  readonly totalBytes: number;
}

/**
 * Places the largest buffers first, each at the lowest offset that is free during its whole life.
 * (Greedy by size, as in Pisarchyk and Lee 2020, "Efficient memory management for deep neural net
 * inference".)
 */
export function placeBuffers(buffers: readonly BufferLife[]): Placement {
  const offsets = new Array<number>(buffers.length).fill(0);
  const placed: number[] = [];
  let totalBytes = 0;
  const bySize = buffers
    .map((_, index) => index)
    .sort((a, b) => buffers[b].bytes - buffers[a].bytes || a - b);
  for (const index of bySize) {
    const { bytes, from, to } = buffers[index];
    const rivals = placed
      .filter((other) => buffers[other].from <= to && from <= buffers[other].to)
      .sort((a, b) => offsets[a] - offsets[b]);
    let offset = 0;
    for (const other of rivals) {
      if (offset + bytes <= offsets[other]) break;
      offset = Math.max(offset, alignedBytes(offsets[other] + buffers[other].bytes));
    }
    offsets[index] = offset;
    placed.push(index);
    totalBytes = Math.max(totalBytes, alignedBytes(offset + bytes));
  }
  return { offsets, totalBytes };
}
