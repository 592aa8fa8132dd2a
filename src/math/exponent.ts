/**
 * Exact powers of two and binary exponents from comparisons and exact products alone, so that every
 * engine computes the same bits. Portable: compiled by tsc and by asc (see
 * memory-layout/constants.ts).
 *
 * Both functions go in strides of 2^8 and then of 2, so that common exponents take few products.
 */

/**
 * Returns 2^k, exactly.
 * @param k an integer in [-1023, 1023]
 */
export function pow2(k: number): number {
  let n = k < 0 ? -k : k;
  let x = 1.0;
  for (; n >= 8; n -= 8) x *= 256.0;
  for (; n >= 1; n--) x *= 2.0;
  return k < 0 ? 1.0 / x : x;
}

/**
 * Returns the binary exponent of x: the integer X with 2^(X-1) ≤ x < 2^X.
 * @param x positive and finite; subnormals included
 */
export function exponentOf(x: number): number {
  let e = 1.0;
  for (; x >= 256.0; x *= 0.00390625) e += 8;
  for (; x >= 2.0; x *= 0.5) e++;
  for (; x < 0.00390625; x *= 256.0) e -= 8;
  for (; x < 1.0; x *= 2.0) e--;
  return e;
}
