/**
 * 16-bit conversions: every 16-bit number, and rounding against numbers computed in double
 * precision.
 */
import { describe, expect, test } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../src/checkpoint';
import { ArgumentError } from '../../src/errors';
import { Xorshift } from '../support/xorshift';

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** A 16-bit format, by the definition of IEEE 754. */
function numberOf(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >>> 15 ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** The magnitudes of a format in order, infinity as the number that would follow the largest. */
function magnitudes(exponentBits: number, fractionBits: number): Float64Array {
  const infinity = (2 ** exponentBits - 1) << fractionBits;
  return Float64Array.from({ length: infinity + 1 }, (_, bits) =>
    bits < infinity ? numberOf(bits, exponentBits, fractionBits) : 2 ** (2 ** (exponentBits - 1)),
  );
}

/** The nearest number by bisection, of two equally near the even one. */
function nearest(x: number, sorted: Float64Array): number {
  const magnitude = Math.min(Math.abs(x), sorted.at(-1)!);
  let [low, high] = [0, sorted.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= magnitude) low = middle;
    else high = middle;
  }
  const [below, above] = [magnitude - sorted[low]!, sorted[high]! - magnitude];
  const bits = below < above || (below === above && low % 2 === 0) ? low : high;
  return bits | (Object.is(x, -0) || x < 0 ? 0x8000 : 0);
}

describe.each([
  { name: 'BF16', exponentBits: 8, fractionBits: 7, widen: bf16ToF32, narrow: f32ToBf16 },
  { name: 'F16', exponentBits: 5, fractionBits: 10, widen: f16ToF32, narrow: f32ToF16 },
])('$name', ({ exponentBits, fractionBits, widen, narrow }) => {
  const wide = widen(ALL);

  test('widens every number exactly', () => {
    for (const bits of ALL) {
      const wanted = numberOf(bits, exponentBits, fractionBits);
      if (!Object.is(wide[bits], wanted)) expect([bits, wide[bits]]).toEqual([bits, wanted]);
    }
  });

  test('narrows every number back to its bits; NaN stays NaN', () => {
    const back = narrow(wide);
    for (const bits of ALL) {
      if (Number.isNaN(wide[bits])) expect(widen(back.subarray(bits, bits + 1))[0]).toBeNaN();
      else if (back[bits] !== bits) expect([bits, back[bits]]).toEqual([bits, bits]);
    }
    // Payloads that lie in the part cut off.
    const words = Uint32Array.of(0x7f800001, 0xff800001, 0x7fffffff);
    for (const value of widen(narrow(new Float32Array(words.buffer)))) expect(value).toBeNaN();
  });

  test('rounds to nearest, ties to even', () => {
    const sorted = magnitudes(exponentBits, fractionBits);
    const random = new Xorshift(11);
    const words = Uint32Array.from({ length: 200_000 }, () => random.below(2 ** 32));
    const values = [...new Float32Array(words.buffer)].filter((x) => !Number.isNaN(x));
    // Numbers of the format's own range, the middles between neighbours, and what is next to those.
    for (let i = 0; i + 1 < sorted.length; i += 1 + random.below(8)) {
      const middle = (sorted[i]! + sorted[i + 1]!) / 2;
      values.push(sorted[i]!, middle, -middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20));
    }
    const singles = Float32Array.from(values);
    const got = narrow(singles);
    for (const [i, x] of singles.entries()) {
      const wanted = nearest(x, sorted);
      if (got[i] !== wanted) expect([x, got[i]]).toEqual([x, wanted]);
    }
  });

  test('refuses other arrays', () => {
    expect(() => widen(new Float32Array(1) as never)).toThrow(ArgumentError);
    expect(() => narrow(new Uint16Array(1) as never)).toThrow(ArgumentError);
  });
});
