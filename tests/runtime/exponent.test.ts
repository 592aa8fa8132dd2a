/** Exact powers of two and binary exponents, against the bits themselves. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exponentOf, pow2 } from '../../src/math/exponent';

const view = new DataView(new ArrayBuffer(8));

/** The double with these bits. */
function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** 2^k by its bits, k in [-1074, 1023]. */
function power(k: number): number {
  return k >= -1022 ? fromBits(BigInt(k + 1023) << 52n) : fromBits(1n << BigInt(k + 1074));
}

/** X with 2^(X-1) ≤ x < 2^X, from the bits. */
function exponentFromBits(x: number): number {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  if (biased > 0) return biased - 1022;
  return (bits & ((1n << 52n) - 1n)).toString(2).length - 1074;
}

it('pow2 is exact for every k', () => {
  for (let k = -1023; k <= 1023; k++) expect(Object.is(pow2(k), power(k)), `2^${k}`).toBe(true);
});

it('exponentOf is exact at every power of two and on both sides of it', () => {
  for (let k = -1074; k <= 1023; k++) {
    const x = power(k);
    expect(exponentOf(x), `2^${k}`).toBe(k + 1);
    view.setFloat64(0, x);
    const bits = view.getBigUint64(0);
    if (k > -1074) expect(exponentOf(fromBits(bits - 1n)), `just below 2^${k}`).toBe(k);
    expect(exponentOf(fromBits(bits + 1n)), `just above 2^${k}`).toBe(k === -1074 ? -1072 : k + 1);
  }
  expect(exponentOf(Number.MAX_VALUE)).toBe(1024);
});

it('exponentOf is exact for any positive double, subnormals included', () => {
  const bits = fc.bigInt({ min: 1n, max: (2047n << 52n) - 1n });
  const subnormal = fc.bigInt({ min: 1n, max: (1n << 52n) - 1n });
  fc.assert(
    fc.property(fc.oneof(bits, subnormal), (b) => {
      const x = fromBits(b);
      expect(exponentOf(x)).toBe(exponentFromBits(x));
    }),
    { numRuns: 5000 },
  );
});
