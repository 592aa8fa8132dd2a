/** What the steps of recurrent layers share. */
import type { Arithmetic } from './arithmetic';
import { at, type Floats } from './memory';

/** Tells whether `step` lies beyond the length of sample r; without lengths none does. */
export function isPadded(f: Floats, lengths: number, r: number, step: number): boolean {
  return lengths !== 0 && !(step < f[at(lengths) + r]!);
}

/** Returns s·(1 - s), the slope of the logistic function where it is s. */
export function logisticSlope(s: number, { round }: Arithmetic): number {
  return round(s * round(1 - s));
}

/** Returns 1 - t², the slope of tanh where it is t. */
export function tanhSlope(t: number, { round }: Arithmetic): number {
  return round(1 - round(t * t));
}

/**
 * Returns (dhidden[i] + carry[i]) + dy[j], without those whose address is 0.
 * @param j index of the element in dy, whose rows lie apart
 */
// biome-ignore format: one line a role
export function stateGradient(
  f: Floats, dhidden: number, carry: number, i: number, dy: number, j: number,
  { round }: Arithmetic,
): number {
  let dh = f[at(dhidden) + i]!;
  if (carry) dh = round(dh + f[at(carry) + i]!);
  return dy ? round(dh + f[at(dy) + j]!) : dh;
}
