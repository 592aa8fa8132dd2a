/**
 * The memory that the oracle sees: floats and whole numbers, each 4 bytes by address, whatever they
 * are kept in.
 */
import { UNROLL } from '../../../memory-layout/constants';

export interface OracleMemory {
  /** Float64Array under float64 arithmetic: element i is at address 4·i all the same. */
  readonly f32: Float32Array | Float64Array;
  readonly i32: Int32Array;
}

/** Index of the element at an address. */
export function at(address: number): number {
  return (address >>> 0) / 4;
}

/** Elements including padding. */
export function padded(n: number): number {
  return Math.ceil(n / UNROLL) * UNROLL;
}

/** x[i] = value(i) for i < n; zeros up to the end of the padding. */
export function map(
  x: Float32Array | Float64Array,
  start: number,
  n: number,
  value: (i: number) => number,
): void {
  for (let i = 0; i < n; ++i) x[start + i] = value(i);
  x.fill(0, start + n, start + padded(n));
}
