/**
 * Element-wise kernels and reductions of the shipped nn binaries against the oracle, bit for bit.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Bench } from './arena';
import { KINDS, ordinary, strange } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

const LENGTHS = [
  ...Array.from({ length: 70 }, (_, i) => i + 1),
  4095,
  4096,
  4097,
  8192,
  8193,
  100_003,
];
const SCALARS = [0, -0, 1, -1.5, 1e-30, 1e-45, 3e38, Number.POSITIVE_INFINITY, Number.NaN];

describe.each(Object.entries(KINDS))('element-wise, %s values', (_, make) => {
  const lengths = make === ordinary ? LENGTHS : LENGTHS.filter((n) => n < 70 && n % 3 === 1);

  it.each(['add', 'mul', 'copy', 'relu', 'reluGrad'] as const)('%s', (name) => {
    for (const n of lengths) {
      bench.reset();
      const x = bench.buffer(n, make(n, n));
      const y = bench.buffer(n, make(n, n + 7));
      const out = bench.buffer(n, make(n, n + 9));
      if (name === 'copy' || name === 'relu') bench.run((k) => k[name](out.address, x.address, n));
      else bench.run((k) => k[name](out.address, x.address, y.address, n));
      for (const buffer of [x, y, out]) bench.expectTidy(buffer, n);
    }
  });

  it.each(['fill', 'scale', 'axpy'] as const)('%s leaves padding zero for every scalar', (name) => {
    for (const n of lengths) {
      for (const a of n < 40 ? SCALARS : [-1.5]) {
        bench.reset();
        const x = bench.buffer(n, make(n, n));
        const y = bench.buffer(n, make(n, n + 7));
        if (name === 'axpy') bench.run((k) => k.axpy(y.address, x.address, n, a));
        else bench.run((k) => k[name](x.address, n, a));
        for (const buffer of [x, y]) bench.expectTidy(buffer, n);
      }
    }
  });

  it.each(['sum', 'absSum', 'squareSum', 'maxAbs', 'dot'] as const)('%s', (name) => {
    for (const n of lengths) {
      bench.reset();
      const x = bench.buffer(n, make(n, n));
      const y = bench.buffer(n, make(n, n + 7));
      if (name === 'dot') bench.run((k) => k.dot(x.address, y.address, n));
      else bench.run((k) => k[name](x.address, n));
    }
  });
});

it('works in place where the ABI says so', () => {
  const n = 37;
  const x = bench.buffer(n, strange(n, 1));
  const y = bench.buffer(n, strange(n, 2));
  bench.run((k) => k.add(x.address, x.address, x.address, n));
  bench.run((k) => k.mul(y.address, x.address, y.address, n));
  bench.run((k) => k.axpy(x.address, x.address, n, 0.5));
  bench.run((k) => k.relu(y.address, y.address, n));
  bench.run((k) => k.reluGrad(x.address, x.address, y.address, n));
  bench.run((k) => k.reluGrad(y.address, x.address, y.address, n));
});

it('does what the definitions say', () => {
  const x = bench.buffer(5, Float32Array.of(1, -2, Number.NaN, -0, 3));
  const out = bench.buffer(5);
  bench.run((k) => k.relu(out.address, x.address, 5));
  const rectified = bench.read(out, 5);
  expect([...rectified]).toEqual([1, 0, Number.NaN, -0, 3]);
  const dy = bench.buffer(5, Float32Array.of(5, 6, 7, 8, 9));
  bench.run((k) => k.reluGrad(x.address, dy.address, out.address, 5));
  expect([...bench.read(x, 5)]).toEqual([5, 0, 0, 0, 9]);
});

it('maxAbs finds NaN wherever it is', () => {
  for (let i = 0; i < 48; ++i) {
    bench.reset();
    const values = ordinary(48, i).fill(Number.POSITIVE_INFINITY, 20, 24);
    values[i] = Number.NaN;
    const x = bench.buffer(48, values);
    expect(bench.run((k) => k.maxAbs(x.address, 48))).toBeNaN();
  }
});

it('sums do not depend on what lies beside or on the address', () => {
  const values = ordinary(20_000, 3);
  const first = bench.buffer(20_000, values);
  const second = bench.buffer(20_000, values);
  for (const name of ['sum', 'absSum', 'squareSum'] as const) {
    expect(bench.run((k) => k[name](second.address, 20_000))).toBe(
      bench.run((k) => k[name](first.address, 20_000)),
    );
  }
});

it('sums are right: exact for integers, and within rounding of a sequential f64 sum', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -4096, max: 4096 }), { minLength: 1, maxLength: 300 }),
      (values) => {
        bench.reset();
        const n = values.length;
        const x = bench.buffer(n, Float32Array.from(values));
        const total = (term: (v: number) => number) => values.reduce((sum, v) => sum + term(v), 0);
        expect(bench.run((k) => k.sum(x.address, n)) + 0).toBe(total((v) => v) + 0);
        expect(bench.run((k) => k.absSum(x.address, n))).toBe(total(Math.abs));
        expect(bench.run((k) => k.squareSum(x.address, n))).toBe(total((v) => v * v));
        expect(bench.run((k) => k.dot(x.address, x.address, n))).toBe(total((v) => v * v));
        expect(bench.run((k) => k.maxAbs(x.address, n))).toBe(Math.max(...values.map(Math.abs)));
      },
    ),
    { numRuns: 60 },
  );
});

it('any f32 patterns: same bits', () => {
  const words = fc
    .uint8Array({ minLength: 4, maxLength: 160 })
    .map((bytes) => bytes.slice(0, bytes.length & ~3));
  fc.assert(
    fc.property(words, fc.float(), (bytes, a) => {
      bench.reset();
      const values = new Float32Array(bytes.buffer);
      const n = values.length;
      const x = bench.buffer(n, values);
      const y = bench.buffer(n, values.slice().reverse());
      bench.run((k) => k.axpy(y.address, x.address, n, a));
      bench.run((k) => k.mul(x.address, x.address, y.address, n));
      bench.run((k) => k.dot(x.address, y.address, n));
      bench.run((k) => k.absSum(x.address, n));
      bench.run((k) => k.maxAbs(x.address, n));
      bench.expectTidy(y, n);
    }),
    { numRuns: 150 },
  );
});

it('peakMulAdd really multiplies and adds', () => {
  for (const iterations of [0, 1, 2, 1000]) bench.run((k) => k.peakMulAdd(iterations));
});
