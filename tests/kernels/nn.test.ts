/**
 * Element-wise kernels of the shipped nn binaries against the reference, bit for bit.
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

describe.each(Object.entries(KINDS))('element-wise, %s values', (_, make) => {
  const lengths = make === ordinary ? LENGTHS : LENGTHS.filter((n) => n < 70 && n % 3 === 1);

  it.each(['copy', 'relu', 'reluGrad'] as const)('%s', (name) => {
    for (const n of lengths) {
      bench.reset();
      const x = bench.buffer(n, make(n, n));
      const y = bench.buffer(n, make(n, n + 7));
      const out = bench.buffer(n, make(n, n + 9));
      if (name === 'reluGrad') bench.run((k) => k.reluGrad(out.address, x.address, y.address, n));
      else bench.run((k) => k[name](out.address, x.address, n));
      for (const buffer of [x, y, out]) bench.expectTidy(buffer, n);
    }
  });
});

it('works in place where the reference says so', () => {
  const n = 37;
  const x = bench.buffer(n, strange(n, 1));
  const y = bench.buffer(n, strange(n, 2));
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

it('any f32 patterns: same bits', () => {
  const words = fc
    .uint8Array({ minLength: 4, maxLength: 160 })
    .map((bytes) => bytes.slice(0, bytes.length & ~3));
  fc.assert(
    fc.property(words, fc.float({ min: 0 }), (bytes, slope) => {
      bench.reset();
      const values = new Float32Array(bytes.buffer);
      const n = values.length;
      const x = bench.buffer(n, values);
      const y = bench.buffer(n, values.slice().reverse());
      bench.run((k) => k.leakyRelu(y.address, x.address, n, slope));
      bench.run((k) => k.leakyReluGrad(x.address, x.address, y.address, n, slope));
      for (const buffer of [x, y]) bench.expectTidy(buffer, n);
    }),
    { numRuns: 150 },
  );
});
