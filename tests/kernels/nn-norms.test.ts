/**
 * Normalisation, embedding and element-wise losses of the shipped nn binaries: the reference's
 * bits, and what they mean.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { NNKernels } from '../../src/runtime/kernels-nn';
import { Bench, type Buffer } from './arena';
import { generator, KINDS, ordinary } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

type Address = number;
type Parts = readonly [dgamma: Address, dbeta: Address, dy: Address, x: Address];

/** Runs a gradient without dx, with it, and in place of dy: the last two must be equal. */
function expectGradients(
  [dx, dy]: readonly [dx: Buffer, dy: Buffer],
  n: number,
  gradient: (kernels: NNKernels, dx: Address) => unknown,
): void {
  bench.run((kernels) => gradient(kernels, 0));
  bench.run((kernels) => gradient(kernels, dx.address));
  const apart = bench.read(dx, n);
  bench.run((kernels) => gradient(kernels, dy.address));
  expect(bench.read(dy, n)).toEqual(apart);
}

const SHAPES = [
  [1, 1],
  [1, 5],
  [2, 3],
  [7, 4],
  [16, 24],
  [33, 10],
  // Up to two loops of eight columns, a vector, and each rest.
  ...Array.from({ length: 22 }, (_, i) => [[1, 2, 3, 17][i % 4], i + 1] as [number, number]),
] as const;

describe.each(Object.entries(KINDS))(
  'normalisation, %s values: the reference’s bits',
  (_, make) => {
    it.each(SHAPES)('batch norm of %i×%i', (rows, cols) => {
      const n = rows * cols;
      const [x, dy, y, dx] = [
        bench.buffer(n, make(n, 1)),
        bench.buffer(n, make(n, 2)),
        bench.buffer(n),
        bench.buffer(n),
      ];
      const [gamma, beta, mean, inv] = [1, 2, 3, 4].map((seed) =>
        bench.buffer(cols, ordinary(cols, seed)),
      );
      const [runningMean, runningVariance] = [1, 2].map((seed) =>
        bench.buffer(cols, ordinary(cols, seed).map(Math.abs)),
      );
      const [dgamma, dbeta] = [bench.buffer(cols), bench.buffer(cols)];
      const [running, moving] = [runningMean!.address, runningVariance!.address];
      const [m, s, g, b] = [mean!.address, inv!.address, gamma!.address, beta!.address];
      bench.run((k) =>
        k.batchStatistics(m, s, running, moving, x.address, rows, cols, 1e-5, 0.1, 1),
      );
      bench.run((k) => k.batchNorm(y.address, x.address, m, s, g, b, rows, cols));
      const parts: Parts = [dgamma.address, dbeta.address, dy.address, x.address];
      expectGradients([dx, dy], n, (k, to) => k.batchNormGrad(to, ...parts, m, s, g, rows, cols));
      bench.run((k) => k.inverseDeviation(s, moving, cols, 1e-3));
      for (const buffer of [x, dy, y, dx]) bench.expectTidy(buffer, n);
      for (const buffer of [mean!, inv!, runningMean!, runningVariance!, dgamma, dbeta])
        bench.expectTidy(buffer, cols);
    });

    it.each(SHAPES)('layer norm of %i×%i', (rows, cols) => {
      const n = rows * cols;
      const [x, dy, y, dx] = [
        bench.buffer(n, make(n, 1)),
        bench.buffer(n, make(n, 2)),
        bench.buffer(n),
        bench.buffer(n),
      ];
      const [gamma, beta] = [bench.buffer(cols, make(cols, 3)), bench.buffer(cols, make(cols, 4))];
      const [mean, inv] = [bench.buffer(rows), bench.buffer(rows)];
      const [dgamma, dbeta] = [bench.buffer(cols), bench.buffer(cols)];
      const [m, s, g] = [mean.address, inv.address, gamma.address];
      bench.run((k) => k.layerNorm(y.address, x.address, m, s, g, beta.address, rows, cols, 1e-5));
      const parts: Parts = [dgamma.address, dbeta.address, dy.address, x.address];
      expectGradients([dx, dy], n, (k, to) => k.layerNormGrad(to, ...parts, m, s, g, rows, cols));
      for (const buffer of [x, dy, y, dx]) bench.expectTidy(buffer, n);
      for (const buffer of [mean, inv]) bench.expectTidy(buffer, rows);
      for (const buffer of [dgamma, dbeta]) bench.expectTidy(buffer, cols);
    });
  },
);

it('normalises a column of any offset to mean 0, variance 1; moves statistics', () => {
  const [rows, cols] = [64, 5];
  const x = bench.buffer(
    rows * cols,
    ordinary(rows * cols, 1).map((v, i) => 1000 * (i % cols) + v),
  );
  const [y, mean, inv, runningMean, runningVariance] = Array.from({ length: 5 }, () =>
    bench.buffer(rows * cols),
  );
  const gamma = bench.buffer(cols, new Float32Array(cols).fill(1));
  const beta = bench.buffer(cols);
  const [m, s] = [mean!.address, inv!.address];
  const [running, moving] = [runningMean!.address, runningVariance!.address];
  bench.run((k) => k.batchStatistics(m, s, running, moving, x.address, rows, cols, 0, 0.25, 1));
  bench.run((k) =>
    k.batchNorm(y!.address, x.address, m, s, gamma.address, beta.address, rows, cols),
  );
  const values = bench.read(y!, rows * cols);
  for (let c = 0; c < cols; c++) {
    const column = values.filter((_, i) => i % cols === c);
    const average = column.reduce((a, b) => a + b, 0) / rows;
    expect(Math.abs(average)).toBeLessThan(2e-4);
    expect(column.reduce((a, b) => a + (b - average) ** 2, 0) / rows).toBeCloseTo(1, 5);
    expect(bench.read(runningMean!, cols)[c]).toBeCloseTo(0.25 * bench.read(mean!, cols)[c]!, 3);
  }
});

describe('embedding', () => {
  it.each(Object.entries(KINDS))('copies rows and sums their gradients, %s values', (_, make) => {
    for (const dim of [1, 3, 4, 16, 21]) {
      bench.reset();
      const [rows, count] = [7, 40];
      const next = generator(dim);
      const indices = bench.buffer(
        count,
        Float32Array.from({ length: count }, () => Math.floor(next() * rows)),
      );
      const table = bench.buffer(rows * dim, make(rows * dim, 1));
      const [y, dtable] = [
        bench.buffer(count * dim),
        bench.buffer(rows * dim, ordinary(rows * dim, 2)),
      ];
      const dy = bench.buffer(count * dim, make(count * dim, 3));
      bench.run((k) => k.embedding(y.address, indices.address, table.address, count, rows, dim));
      for (const padding of [2, -1]) {
        bench.run((k) =>
          k.embeddingGrad(dtable.address, dy.address, indices.address, count, rows, dim, padding),
        );
        if (padding >= 0)
          expect([...bench.read(dtable, rows * dim)].slice(2 * dim, 3 * dim)).toEqual(
            Array(dim).fill(0),
          );
      }
      bench.expectTidy(y, count * dim);
      bench.expectTidy(dtable, rows * dim);
    }
  });

  it('answers NaN to an index that names no row, and learns nothing from it', () => {
    const wrong = Float32Array.of(-1, 3, 0.5, Number.NaN, 3e9, Number.NEGATIVE_INFINITY, 2);
    const indices = bench.buffer(7, wrong);
    const table = bench.buffer(6, Float32Array.of(1, 2, 3, 4, 5, 6));
    const [y, dtable] = [bench.buffer(14), bench.buffer(6)];
    bench.run((k) => k.embedding(y.address, indices.address, table.address, 7, 3, 2));
    expect([...bench.read(y, 14)]).toEqual([...Array(12).fill(Number.NaN), 5, 6]);
    bench.run((k) => k.embeddingGrad(dtable.address, y.address, indices.address, 7, 3, 2, -1));
    expect([...bench.read(dtable, 6)]).toEqual([0, 0, 0, 0, 5, 6]);
  });
});

/** Value and slope by x of each loss, in f64. */
const LOSSES = {
  binaryCrossEntropy: (x: number, t: number) => [
    Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
    1 / (1 + Math.exp(-x)) - t,
  ],
  meanSquaredError: (x: number, t: number) => [(x - t) ** 2, 2 * (x - t)],
  huber: (x: number, t: number) => {
    const r = Math.abs(x - t);
    return r > 0.7 ? [0.7 * (r - 0.35), 0.7 * Math.sign(x - t)] : [0.5 * r * r, x - t];
  },
} as const;

describe.each(Object.keys(LOSSES) as (keyof typeof LOSSES)[])('%s', (name) => {
  function run(xs: Float32Array, ts: Float32Array) {
    bench.reset();
    const n = xs.length;
    const [x, t, d] = [bench.buffer(n, xs), bench.buffer(n, ts), bench.buffer(n)];
    const value = bench.run((k) => k[name](d.address, x.address, t.address, n, 0.7));
    const gradient = bench.read(d, n);
    bench.expectTidy(d, n);
    expect(
      Object.is(
        bench.run((k) => k[name](x.address, x.address, t.address, n, 0.7)),
        value,
      ),
    ).toBe(true);
    return { value, gradient };
  }

  it.each(Object.entries(KINDS))('the reference’s bits, %s values', (_, make) => {
    for (const n of [1, 2, 3, 4, 5, 16, 17, 101]) run(make(n, n), make(n, n + 1));
  });

  it('is the mean, and its gradient', () => {
    const n = 50;
    const xs = ordinary(n, 1).map((v) => 8 * v);
    const ts = ordinary(n, 2).map(Math.abs);
    const { value, gradient } = run(xs, ts);
    let total = 0;
    xs.forEach((x, i) => {
      const [loss, slope] = LOSSES[name](x, ts[i]!);
      total += loss!;
      expect(Math.abs(gradient[i]! - slope! / n)).toBeLessThan(1e-7);
    });
    expect(Math.abs(value / (total / n) - 1)).toBeLessThan(1e-6);
  });
});

describe.each(['mean', 'weighted mean'] as const)(
  'softmaxCrossEntropy weighted by class, %s',
  (reduction) => {
    it('is what it says, the reference’s bits', () => {
      bench.reset();
      const [rows, cols] = [9, 5];
      const logits = ordinary(rows * cols, 3).map((v) => 4 * v);
      const labels = Int32Array.from({ length: rows }, (_, r) => (r * 7) % cols);
      const weights = Float32Array.of(1, 0.5, 3, 2, 0.25);
      const [x, t, w] = [
        bench.buffer(rows * cols, logits),
        bench.buffer(rows, labels),
        bench.buffer(cols, weights),
      ];
      const d = bench.buffer(rows * cols);
      const sumOfWeights = labels.reduce((sum, label) => sum + weights[label]!, 0);
      expect(bench.run((k) => k.labelWeight(t.address, w.address, rows, cols, Number.NaN))).toBe(
        sumOfWeights,
      );
      const whole = reduction === 'mean' ? rows : sumOfWeights;
      const value = bench.run((k) =>
        k.softmaxCrossEntropy(
          d.address,
          x.address,
          t.address,
          w.address,
          rows,
          cols,
          whole,
          Number.NaN,
        ),
      );
      const gradient = bench.read(d, rows * cols);
      let expected = 0;
      for (let r = 0; r < rows; r++) {
        const row = [...logits.subarray(r * cols, (r + 1) * cols)].map(Math.exp);
        const sum = row.reduce((a, b) => a + b, 0);
        const weight = weights[labels[r]!]! / whole;
        expected -= weight * Math.log(row[labels[r]!]! / sum);
        row.forEach((e, c) => {
          const slope = weight * (e / sum - (c === labels[r] ? 1 : 0));
          expect(Math.abs(gradient[r * cols + c]! - slope)).toBeLessThan(1e-7);
        });
      }
      expect(Math.abs(value - expected)).toBeLessThan(1e-6);
    });
  },
);

it('binaryCrossEntropy of a target outside [0, 1] is NaN, and so is its gradient', () => {
  const targets = Float32Array.of(
    -1e-7,
    0,
    1,
    1.0000001,
    Number.NaN,
    0.5,
    Number.POSITIVE_INFINITY,
  );
  bench.reset();
  const [x, t, d] = [
    bench.buffer(7, new Float32Array(7)),
    bench.buffer(7, targets),
    bench.buffer(7),
  ];
  expect(bench.run((k) => k.binaryCrossEntropy(d.address, x.address, t.address, 7))).toBeNaN();
  expect([...bench.read(d, 7)].map(Number.isFinite)).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});
