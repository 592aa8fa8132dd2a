import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philoxInto } from '../../src/math/philox';
import { Prng } from '../../src/math/prng';
import { bits } from './bits';

const take = (prng: Prng, n: number) => Array.from({ length: n }, () => prng.nextU32());

describe('philoxInto', () => {
  // The known answers for philox4x32-10 that the authors publish with their library (Random123,
  // kat_vectors).
  it.each([
    [
      '00000000 00000000 00000000 00000000',
      '00000000 00000000',
      '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
    ],
    [
      'ffffffff ffffffff ffffffff ffffffff',
      'ffffffff ffffffff',
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      '243f6a88 85a308d3 13198a2e 03707344',
      'a4093822 299f31d0',
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('counter %s, key %s gives %s', (counter, key, expected) => {
    const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
    const [c0, c1, c2, c3] = words(counter) as [number, number, number, number];
    const [k0, k1] = words(key) as [number, number];
    const out = new Uint32Array(4);
    philoxInto(out, c0, c1, c2, c3, k0, k1);
    expect([...out]).toEqual(words(expected));
  });
});

describe('Prng', () => {
  it('is Philox under counter (position / 4, stream) and key seed, each as two words', () => {
    const seed = 0x15432198765432;
    const stream = 0x1abcdef0123456;
    const prng = new Prng(seed, stream);
    prng.restore([seed, stream, 4 * 0x123456789]);
    const out = new Uint32Array(4);
    philoxInto(out, 0x23456789, 0x1, 0xf0123456, 0x1abcde, 0x98765432, 0x154321);
    expect(take(prng, 4)).toEqual([...out]);
  });

  it('gives recorded numbers', () => {
    expect(take(new Prng(42, 7), 6)).toEqual([
      0x67ee6f2c, 0xe55410cc, 0x6c7eca35, 0x557398d3, 0xe5dde940, 0x600f6196,
    ]);
    const largest = Number.MAX_SAFE_INTEGER;
    expect(take(new Prng(largest, largest), 4)).toEqual([
      0x69f10d85, 0xbd08e12a, 0x772b49b6, 0x8e52f106,
    ]);
    const prng = new Prng(1);
    expect(bits(prng.uniform())).toBe('3fec7d00cf94283a');
    expect(bits(prng.normal())).toBe('bfe3ff3df4829ce7');
    expect(prng.below(1000)).toBe(351);
    expect(prng.state()).toEqual([1, 0, 7]);
    const items = Uint32Array.from({ length: 10 }, (_, i) => i);
    new Prng(3).shuffle(items);
    expect([...items]).toEqual([5, 4, 0, 8, 7, 6, 3, 2, 9, 1]);
  });

  it('continues from its state at any position', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(21), (seed, stream, skipped) => {
        const prng = new Prng(seed, stream);
        take(prng, skipped);
        const other = new Prng(0);
        other.restore(prng.state());
        expect(other.state()).toEqual([seed, stream, skipped]);
        expect(take(other, 9)).toEqual(take(prng, 9));
      }),
    );
  });

  it('gives other numbers for other seeds and streams', () => {
    const seen = new Set<string>();
    for (const seed of [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52]) {
      for (const stream of [0, 1, 2 ** 32, 2 ** 52])
        seen.add(take(new Prng(seed, stream), 4).join());
    }
    expect(seen.size).toBe(24);
  });

  it.each([-1, 1.5, 2 ** 53, NaN, Infinity, '1', undefined])('refuses the seed %s', (seed) => {
    expect(() => new Prng(seed as number)).toThrow(/^"seed" expected an integer in/);
  });

  it('refuses other bad arguments and keeps its state', () => {
    expect(() => new Prng(1, -1)).toThrow(/^"stream" expected/);
    const prng = new Prng(1);
    take(prng, 3);
    for (const state of [[], [1, 2], [1, 2, 3, 4], 5, null]) {
      expect(() => prng.restore(state as number[])).toThrow(/^"state" expected three numbers/);
    }
    expect(() => prng.restore([1, 2, -3])).toThrow(/^"state\[2\]" expected/);
    expect(prng.state()).toEqual([1, 0, 3]);
    for (const n of [0, -1, 1.5, 2 ** 32 + 1, NaN])
      expect(() => prng.below(n)).toThrow(/^"n" expected/);
  });

  it('uniform() is in [0, 1) and flat: mean, variance and χ² of 100 buckets', () => {
    const prng = new Prng(2024);
    const n = 200_000;
    const buckets = new Float64Array(100);
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const x = prng.uniform();
      if (!(x >= 0 && x < 1)) throw new Error(`${x}`);
      sum += x;
      squares += x * x;
      buckets[Math.floor(100 * x)]!++;
    }
    const mean = sum / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.003); // 4.6 standard errors
    expect(Math.abs(squares / n - mean * mean - 1 / 12)).toBeLessThan(0.001);
    const chiSquare = buckets.reduce(
      (total, count) => total + (count - n / 100) ** 2 / (n / 100),
      0,
    );
    expect(chiSquare).toBeGreaterThan(50); // 99 degrees of freedom: 99 ± 14
    expect(chiSquare).toBeLessThan(160);
  });

  it('normal() has the moments of the normal distribution', () => {
    const prng = new Prng(7, 3);
    const n = 200_000;
    const moments = [0, 0, 0, 0];
    let beyondTwo = 0;
    for (let i = 0; i < n; i++) {
      const x = prng.normal();
      for (let k = 0; k < 4; k++) moments[k]! += x ** (k + 1) / n;
      if (Math.abs(x) > 2) beyondTwo++;
    }
    const expected = [0, 1, 0, 3];
    const tolerance = [0.01, 0.015, 0.04, 0.12];
    for (let k = 0; k < 4; k++)
      expect(Math.abs(moments[k]! - expected[k]!)).toBeLessThan(tolerance[k]!);
    expect(Math.abs(beyondTwo / n - 0.0455)).toBeLessThan(0.002);
    expect(prng.state()).toEqual([7, 3, 4 * n]);
  });

  it('below(n) is flat also where n does not divide 2^32', () => {
    const prng = new Prng(5);
    const n = 3 * 2 ** 30; // a plain remainder would give the lowest third twice as often
    const thirds = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) thirds[Math.floor(prng.below(n) / 2 ** 30)]!++;
    for (const count of thirds) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(prng.below(1)).toBe(0);
    expect(prng.below(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it('shuffle() makes each of the 24 orders of four equally often, and keeps the items', () => {
    const prng = new Prng(11);
    const seen = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const items = Uint32Array.of(0, 1, 2, 3);
      prng.shuffle(items);
      const key = items.join('');
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const none = new Uint32Array(0);
    prng.shuffle(none);
    expect(none.length).toBe(0);
  });
});
