/**
 * Exact powers of two and binary exponents from comparisons and exact products alone, so that every
 * engine computes the same bits. Portable: compiled by tsc and by asc (see
 * memory-layout/constants.ts).
 */

/**
 * Returns 2^k, exactly.
 * @param k an integer in [-1023, 1023]
 */
export function pow2(k: number): number {
  let n = k < 0 ? -k : k;
  let x = 1.0;
  if (n >= 512) {
    x = 1.3407807929942597e154;
    n -= 512;
  }
  if (n >= 256) {
    x *= 1.157920892373162e77;
    n -= 256;
  }
  if (n >= 128) {
    x *= 3.402823669209385e38;
    n -= 128;
  }
  if (n >= 64) {
    x *= 18446744073709552000.0;
    n -= 64;
  }
  if (n >= 32) {
    x *= 4294967296.0;
    n -= 32;
  }
  if (n >= 16) {
    x *= 65536.0;
    n -= 16;
  }
  if (n >= 8) {
    x *= 256.0;
    n -= 8;
  }
  if (n >= 4) {
    x *= 16.0;
    n -= 4;
  }
  if (n >= 2) {
    x *= 4.0;
    n -= 2;
  }
  if (n >= 1) x *= 2.0;
  return k < 0 ? 1.0 / x : x;
}

/**
 * Returns the binary exponent of x: the integer X with 2^(X-1) ≤ x < 2^X.
 * @param x positive and finite; subnormals included
 */
export function exponentOf(x: number): number {
  let e = 1.0;
  if (x < 1.0) {
    if (x < 2.2250738585072014e-308) {
      x *= 18014398509481984.0; // 2^54 makes a subnormal normal
      e -= 54;
    }
    // Before the line with 2^s, x ≥ 2^(1-2s); after it, x ≥ 2^(1-s).
    if (x < 1.4916681462400413e-154) {
      x *= 1.3407807929942597e154;
      e -= 512;
    }
    if (x < 1.727233711018889e-77) {
      x *= 1.157920892373162e77;
      e -= 256;
    }
    if (x < 5.877471754111438e-39) {
      x *= 3.402823669209385e38;
      e -= 128;
    }
    if (x < 1.0842021724855044e-19) {
      x *= 18446744073709552000.0;
      e -= 64;
    }
    if (x < 4.656612873077393e-10) {
      x *= 4294967296.0;
      e -= 32;
    }
    if (x < 0.000030517578125) {
      x *= 65536.0;
      e -= 16;
    }
    if (x < 0.0078125) {
      x *= 256.0;
      e -= 8;
    }
    if (x < 0.125) {
      x *= 16.0;
      e -= 4;
    }
    if (x < 0.5) {
      x *= 4.0;
      e -= 2;
    }
    return x < 1.0 ? e - 1 : e;
  }
  // Before the line with 2^s, x < 2^(2s); after it, x < 2^s.
  if (x >= 1.3407807929942597e154) {
    x *= 7.458340731200207e-155;
    e += 512;
  }
  if (x >= 1.157920892373162e77) {
    x *= 8.636168555094445e-78;
    e += 256;
  }
  if (x >= 3.402823669209385e38) {
    x *= 2.938735877055719e-39;
    e += 128;
  }
  if (x >= 18446744073709552000.0) {
    x *= 5.421010862427522e-20;
    e += 64;
  }
  if (x >= 4294967296.0) {
    x *= 2.3283064365386963e-10;
    e += 32;
  }
  if (x >= 65536.0) {
    x *= 0.0000152587890625;
    e += 16;
  }
  if (x >= 256.0) {
    x *= 0.00390625;
    e += 8;
  }
  if (x >= 16.0) {
    x *= 0.0625;
    e += 4;
  }
  if (x >= 4.0) {
    x *= 0.25;
    e += 2;
  }
  return x >= 2.0 ? e + 1 : e;
}
