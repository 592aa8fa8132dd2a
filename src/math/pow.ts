/**
 * Powers from + - × ÷ alone, so that every engine computes the same bits; Math.pow and ** do not
 * promise that. Portable: compiled by tsc and by asc (see memory-layout/constants.ts).
 */
import { exp } from './exp';
import { log } from './log';

/**
 * The largest integer exponent that is computed by repeated squaring: enough for every power of
 * two, down to 2^-1074.
 */
const WHOLE_LIMIT: number = 1074.0;

/**
 * Returns x^y for x > 0.
 *
 * For integers y with |y| ≤ 1074 it uses repeated squaring: the result is exact if every product is
 * (powers of two, 10^22, …), otherwise its relative error is at most |y|·2^-53. For other y it
 * computes e^(y·log x) with a relative error of at most (|y·log x| + 1)·2^-51. Both bounds hold if
 * the result is a normal number.
 *
 * @param x the base, a number ≥ 0; the result is 0, 1 or Infinity for 0, depending on the sign of
 * y, and NaN for negative numbers and NaN
 * @param y the exponent, finite
 * @returns x^y; Infinity or 0 if it is out of the range of f64; exactly 1 for y = 0
 * @example pow(0.9, 2) // 0.81
 */
export function pow(x: number, y: number): number {
  if (!(x >= 0.0)) return NaN;
  const n = y < 0.0 ? -y : y;
  if (n <= WHOLE_LIMIT && Math.floor(n) === n) {
    const p = wholePower(x, n);
    if (y >= 0.0) return p;
    if (p >= 2.2250738585072014e-308 && p < Infinity) return 1.0 / p;
    // x^n is out of the normal range, but x^-n may not be: divide by two factors.
    const half = Math.floor(0.5 * n);
    return 1.0 / wholePower(x, half) / wholePower(x, n - half);
  }
  return exp(y * log(x));
}

/** Returns x^n for an integer n ≥ 0, by repeated squaring. */
function wholePower(x: number, n: number): number {
  let result = 1.0;
  let square = x;
  while (n > 0.0) {
    const half = Math.floor(0.5 * n);
    if (n - 2.0 * half === 1.0) result *= square;
    n = half;
    if (n > 0.0) square *= square;
  }
  return result;
}
