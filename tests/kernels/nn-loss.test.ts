/**
 * Softmax cross-entropy and accuracy of the shipped nn binaries: the reference's bits, f64's
 * values, calculus's gradient.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { Bench } from './arena';
import { generator, KINDS } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

function labelsOf(rows: number, cols: number, seed: number): Int32Array {
  const next = generator(seed);
  return Int32Array.from({ length: rows }, () => Math.floor(next() * cols));
}

function logitsOf(count: number, spread: number): Float32Array {
  const next = generator(count);
  return Float32Array.from({ length: count }, () => (next() - 0.5) * spread);
}

function loss(logits: Float32Array, labels: Int32Array, cols: number) {
  const rows = labels.length;
  bench.reset();
  const x = bench.buffer(rows * cols, logits);
  const at = bench.buffer(rows, labels);
  const d = bench.buffer(rows * cols);
  const value = bench.run((k) =>
    k.softmaxCrossEntropy(d.address, x.address, at.address, 0, rows, cols, rows, Number.NaN),
  );
  for (const buffer of [x, d]) bench.expectTidy(buffer, rows * cols);
  bench.expectTidy(at, rows);
  return { value, gradient: bench.read(d, rows * cols) };
}

/** The same in f64 with the engine's own functions. */
function reference(logits: Float32Array, labels: Int32Array, cols: number) {
  const rows = labels.length;
  const gradient: number[] = [];
  let value = 0;
  for (let r = 0; r < rows; ++r) {
    const row = [...logits.subarray(r * cols, (r + 1) * cols)];
    const largest = Math.max(...row);
    const e = row.map((x) => Math.exp(x - largest));
    const sum = e.reduce((s, x) => s + x, 0);
    value += Math.log(sum) - (row[labels[r]!]! - largest);
    gradient.push(...e.map((x, j) => (x / sum - (j === labels[r] ? 1 : 0)) / rows));
  }
  return { value: value / rows, gradient };
}

describe('softmaxCrossEntropy', () => {
  it.each(Object.entries(KINDS))('same bits for any shape, %s values', (_, make) => {
    for (const rows of [1, 2, 7]) {
      for (let cols = 1; cols <= 37; ++cols)
        loss(make(rows * cols, cols), labelsOf(rows, cols, cols), cols);
    }
  });

  it.each([1, 8, 60, 300])('near the f64 value for logits within ±%i / 2', (spread) => {
    const [rows, cols] = [40, 10];
    const logits = logitsOf(rows * cols, spread);
    const labels = labelsOf(rows, cols, 1);
    const actual = loss(logits, labels, cols);
    const expected = reference(logits, labels, cols);
    expect(Math.abs(actual.value - expected.value)).toBeLessThan(2e-7 * (1 + expected.value));
    // x - max is rounded to f32 first: up to spread·2^-25 in the exponent, then exp4's and two more
    // roundings.
    const tolerance = spread * 2 ** -24 + 2 ** -21;
    actual.gradient.forEach((g, i) => {
      expect(Math.abs(g - expected.gradient[i]!)).toBeLessThanOrEqual(
        Math.abs(expected.gradient[i]!) * tolerance + 1e-12,
      );
    });
  });

  it('the gradient is the slope of the loss', () => {
    const [rows, cols] = [3, 6];
    const logits = logitsOf(rows * cols, 4);
    const labels = labelsOf(rows, cols, 9);
    const { gradient } = loss(logits, labels, cols);
    const step = 2 ** -10;
    gradient.forEach((g, i) => {
      const [up, down] = [logits.slice(), logits.slice()];
      up[i]! += step;
      down[i]! -= step;
      const slope =
        (loss(up, labels, cols).value - loss(down, labels, cols).value) / (up[i]! - down[i]!);
      expect(Math.abs(g - slope)).toBeLessThan(2e-4);
    });
  });

  it('may overwrite the logits', () => {
    const logits = logitsOf(35, 5);
    const labels = labelsOf(5, 7, 2);
    const apart = loss(logits, labels, 7);
    bench.reset();
    const x = bench.buffer(35, logits);
    const at = bench.buffer(5, labels);
    expect(
      bench.run((k) =>
        k.softmaxCrossEntropy(x.address, x.address, at.address, 0, 5, 7, 5, Number.NaN),
      ),
    ).toBe(apart.value);
    expect(bench.read(x, 35)).toEqual(apart.gradient);
  });

  it('stays finite for extreme logits, exact where softmax saturates', () => {
    const { value, gradient } = loss(Float32Array.of(3e38, -3e38, 0), Int32Array.of(0), 3);
    expect(value).toBe(0);
    expect([...gradient]).toEqual([0, 0, 0]);
    expect(loss(Float32Array.of(1000, -1000), Int32Array.of(1), 2).value).toBe(2000);
    expect(loss(new Float32Array(8).fill(-5), Int32Array.of(3), 8).value).toBeCloseTo(
      Math.log(8),
      14,
    );
  });

  it('keeps the gradient of a confident row', () => {
    const { gradient } = loss(Float32Array.of(20, 0), Int32Array.of(0), 2);
    expect(gradient[0]! / -Math.exp(-20)).toBeCloseTo(1, 6);
  });

  it('gives NaN for a label that is no class, in the loss and in its row of the gradient', () => {
    for (const label of [-1, 3, 2 ** 31 - 1]) {
      const { value, gradient } = loss(
        Float32Array.of(1, 2, 3, 1, 2, 3),
        Int32Array.of(label, 1),
        3,
      );
      expect(value).toBeNaN();
      expect([...gradient].map(Number.isFinite)).toEqual([false, false, false, true, true, true]);
    }
  });

  it('passes NaN and Infinity on', () => {
    expect(loss(Float32Array.of(1, Number.NaN, 2), Int32Array.of(0), 3).value).toBeNaN();
    expect(loss(Float32Array.of(1, Number.POSITIVE_INFINITY), Int32Array.of(0), 2).value).toBeNaN();
    expect(loss(Float32Array.of(1, Number.NEGATIVE_INFINITY), Int32Array.of(0), 2).value).toBe(0);
  });
});

describe('the exponential in it', () => {
  it('is near Math.exp, and 0 below -87.33654', () => {
    // With a logit of 0 in front, x - max is x, and the gradient is f32(e^x)·f32(1/sum): one more
    // rounding than exp4 has, and that of the factor, in a sum known from the loss. The bound of
    // exp4 itself is tested in assembly/math/__tests__.
    const next = generator(4);
    for (let round = 0; round < 200; ++round) {
      const x = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 0 : next() * -90));
      const { value, gradient } = loss(x, Int32Array.of(0), 64);
      const factor = Math.fround(1 / Math.exp(value));
      for (let i = 1; i < 64; ++i) {
        const exact = Math.exp(x[i]!);
        if (x[i]! < Math.fround(-87.33654)) expect(gradient[i]).toBe(0);
        else if (exact * factor > 1.2e-38)
          expect(Math.abs(gradient[i]! / factor / exact - 1)).toBeLessThan(2.8 * 2 ** -23);
      }
    }
  });
});

/** The index of the first greatest element of every row; -1 for a row that holds a NaN. */
function predictionsOf(logits: Float32Array, cols: number): Int32Array {
  return Int32Array.from({ length: logits.length / cols }, (_, r) => {
    const row = logits.subarray(r * cols, (r + 1) * cols);
    return row.some(Number.isNaN) ? -1 : row.indexOf(Math.max(...row));
  });
}

describe('predictedMatches', () => {
  it.each(Object.entries(KINDS))(
    'counts the rows whose label is predicted, %s values',
    (_, make) => {
      for (const [rows, cols] of [
        [1, 1],
        [9, 10],
        [33, 3],
        [4, 100],
      ] as const) {
        bench.reset();
        const values = make(rows * cols, rows);
        const predictions = predictionsOf(values, cols);
        const x = bench.buffer(rows * cols, values);
        const count = (labels: Int32Array) => {
          const at = bench.buffer(rows, labels);
          return bench.run((k) =>
            k.predictedMatches(x.address, at.address, rows, cols, Number.NaN),
          );
        };
        expect(count(predictions)).toBe(predictions.filter((label) => label >= 0).length);
        const labels = labelsOf(rows, cols, 3);
        expect(count(labels)).toBe(labels.filter((label, r) => label === predictions[r]).length);
      }
    },
  );

  it('takes the first of equals, and none of a row with a NaN', () => {
    const rows = [
      [1, 3, 3],
      [-0, 0, 0],
      [1, Number.NaN, 9],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ];
    const x = bench.buffer(12, Float32Array.from(rows.flat()));
    for (const [label, right] of [
      [0, 2],
      [1, 1],
      [2, 0],
      [-1, 0],
    ] as const) {
      const labels = bench.buffer(4, new Int32Array(4).fill(label));
      expect(
        bench.run((k) => k.predictedMatches(x.address, labels.address, 4, 3, Number.NaN)),
      ).toBe(right);
    }
  });
});
