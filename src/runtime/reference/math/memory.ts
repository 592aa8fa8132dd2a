/**
 * The memory that the reference kernels read and write: floats and integers, addressed as 4 bytes
 * each whatever array holds them.
 */
import { UNROLL } from '../../../memory-layout/constants';

export type Floats = Float32Array | Float64Array;

export interface ReferenceMemory {
  /** A Float64Array under float64 arithmetic; element i is at address 4·i there too. */
  readonly f32: Floats;
  readonly i32: Int32Array;
}

/** Returns the index of the element at an address. */
export function at(address: number): number {
  return (address >>> 0) / 4;
}

/** Returns the number of elements with padding. */
export function padded(n: number): number {
  return Math.ceil(n / UNROLL) * UNROLL;
}

/** Sets x[i] = value(i) for i < n, and the padding after them to zero. */
export function map(x: Floats, start: number, n: number, value: (i: number) => number): void {
  for (let i = 0; i < n; ++i) x[start + i] = value(i);
  x.fill(0, start + n, start + padded(n));
}
