/**
 * The exponent of AdaL's state, as adal-scalars.ts describes it. It is in a file of its own because
 * checks of state dicts need it on every backend, and the other scalars only the reference.
 */
import { exponentOf } from './exponent';

/** en: puts √Vn near 2^48, so that v' keeps 2^-126 < v' < 2^128 for all that matters. */
export function nextExponent(Vn: number, e: number): number {
  return Vn > 0.0 ? Math.floor((exponentOf(Vn) + 1.0) * 0.5) - 48.0 : e;
}
