/**
 * Powers from + - × ÷ alone: the same bits on every engine, which Math.pow and ** do not promise.
 * Portable: compiled by tsc and by asc (see abi/layout.ts).
 */
import { exp } from './exp';
import { log } from './log';

/**
 * Whole exponents up to this size are multiplied out: enough for every power of two, down to
 * 2^-1074.
 */
const WHOLE_LIMIT: number = 1074.0;

/**
 * x^y for x > 0.
 *
 * Whole y with |y| ≤ 1074 is multiplied out by repeated squaring: exact where every product is
 * (powers of two, 10^22, …), otherwise with a relative error of at most |y|·2^-53. Other y are
 * e^(y·log x), with a relative error of at most (|y·log x| + 1)·2^-51. Both bounds hold where the
 * result is a normal number.
 *
 * @param x the base: a number ≥ 0. 0 gives 0, 1 or Infinity by the sign of y; negative or NaN gives
 * NaN.
 * @param y the exponent, finite
 * @returns x^y; Infinity or 0 where it leaves the range of f64; exactly 1 for y = 0
 * @example pow(0.9, 2) // 0.81
 */
export function pow(x: number, y: number): number {
  if (!(x >= 0.0)) return NaN;
  const n = y < 0.0 ? -y : y;
  if (n <= WHOLE_LIMIT && Math.floor(n) === n) {
    const p = wholePower(x, n);
    if (y >= 0.0) return p;
    if (p >= 2.2250738585072014e-308 && p < Infinity) return 1.0 / p;
    // x^n has left the normal range where x^-n may not have: in two halves.
    const half = Math.floor(0.5 * n);
    return 1.0 / wholePower(x, half) / wholePower(x, n - half);
  }
  return exp(y * log(x));
}

/** x^n by repeated squaring, n a whole number ≥ 0. */
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
