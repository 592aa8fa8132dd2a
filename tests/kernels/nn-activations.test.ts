/**
 * Activations and dropout of the shipped nn binaries: the reference's bits, error bounds,
 * calculus's gradients.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { philoxInto } from '../../src/math/philox';
import type { NNKernels } from '../../src/runtime/kernels-nn';
import { float32, float64 } from '../../src/runtime/reference/math/arithmetic';
import { Bench } from './arena';
import { KINDS, ordinary, wild } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

const SLOPE = 0.01;
type Unary = (k: NNKernels, out: number, x: number, n: number) => void;
type Backward = (k: NNKernels, dx: number, dy: number, kept: number, n: number) => void;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const ALPHA = 0.75;
const cumulative = (x: number) => (1 + float64.erf(x / Math.SQRT2)) / 2;
const bend = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
/** Of the sums 1 + erf and 1 + tanh, which cancel for negative x: errors relative to |x|. */
const CANCELS = new Set(['gelu', 'geluTanh']);

/** What each computes, in f64; whether its gradient is by its output; f and its derivative. */
const ACTIVATIONS: Record<
  string,
  {
    forward: Unary;
    backward: Backward;
    keeps: 'output' | 'input';
    f: (x: number) => number;
    slope: (x: number) => number;
  }
> = {
  relu: {
    forward: (k, out, x, n) => k.relu(out, x, n),
    backward: (k, dx, dy, kept, n) => k.reluGrad(dx, dy, kept, n),
    keeps: 'output',
    f: (x) => Math.max(x, 0),
    slope: (x) => (x > 0 ? 1 : 0),
  },
  leakyRelu: {
    forward: (k, out, x, n) => k.leakyRelu(out, x, n, SLOPE),
    backward: (k, dx, dy, kept, n) => k.leakyReluGrad(dx, dy, kept, n, SLOPE),
    keeps: 'output',
    f: (x) => (x < 0 ? SLOPE * x : x),
    slope: (x) => (x > 0 ? 1 : SLOPE),
  },
  tanh: {
    forward: (k, out, x, n) => k.tanh(out, x, n),
    backward: (k, dx, dy, kept, n) => k.tanhGrad(dx, dy, kept, n),
    keeps: 'output',
    f: Math.tanh,
    slope: (x) => 1 - Math.tanh(x) ** 2,
  },
  sigmoid: {
    forward: (k, out, x, n) => k.sigmoid(out, x, n),
    backward: (k, dx, dy, kept, n) => k.sigmoidGrad(dx, dy, kept, n),
    keeps: 'output',
    f: sigmoid,
    slope: (x) => sigmoid(x) * sigmoid(-x),
  },
  relu6: {
    forward: (k, out, x, n) => k.relu6(out, x, n),
    backward: (k, dx, dy, kept, n) => k.relu6Grad(dx, dy, kept, n),
    keeps: 'output',
    f: (x) => Math.min(Math.max(x, 0), 6),
    slope: (x) => (x > 0 && x < 6 ? 1 : 0),
  },
  elu: {
    forward: (k, out, x, n) => k.elu(out, x, n, ALPHA),
    backward: (k, dx, dy, kept, n) => k.eluGrad(dx, dy, kept, n, ALPHA),
    keeps: 'output',
    f: (x) => (x > 0 ? x : ALPHA * Math.expm1(x)),
    slope: (x) => (x > 0 ? 1 : ALPHA * Math.exp(x)),
  },
  gelu: {
    forward: (k, out, x, n) => k.gelu(out, x, n),
    backward: (k, dx, dy, kept, n) => k.geluGrad(dx, dy, kept, n),
    keeps: 'input',
    f: (x) => x * cumulative(x),
    slope: (x) => cumulative(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  },
  geluTanh: {
    forward: (k, out, x, n) => k.geluTanh(out, x, n),
    backward: (k, dx, dy, kept, n) => k.geluTanhGrad(dx, dy, kept, n),
    keeps: 'input',
    f: (x) => (x / 2) * (1 + Math.tanh(bend(x))),
    slope: (x) =>
      (1 + Math.tanh(bend(x))) / 2 +
      (x / 2) * (1 - Math.tanh(bend(x)) ** 2) * Math.sqrt(2 / Math.PI) * (1 + 0.134145 * x * x),
  },
  silu: {
    forward: (k, out, x, n) => k.silu(out, x, n),
    backward: (k, dx, dy, kept, n) => k.siluGrad(dx, dy, kept, n),
    keeps: 'input',
    f: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
  },
};

/** Every 65,521st float of either sign, and the ends. */
function sweep(): Float32Array {
  const bits: number[] = [];
  for (let word = 0; word < 0x7f800000; word += 65_521) bits.push(word, word + 0x80000000);
  return new Float32Array(
    Uint32Array.from([...bits, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000]).buffer,
  );
}

/**
 * Distance in units in the last place of the exact result's f32: 0 for equal values (NaN equals
 * NaN), Infinity where only one of the two is finite.
 */
function ulps(actual: number, exact: number): number {
  if (Object.is(actual, exact) || actual === exact) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(Math.fround(exact)))
    return Number.POSITIVE_INFINITY;
  const rounded = Math.abs(Math.fround(exact));
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(rounded || 2 ** -126))) - 23);
  return Math.abs(actual - exact) / unit;
}

describe.each(Object.entries(ACTIVATIONS))('%s', (name, { forward, backward, keeps, f, slope }) => {
  it.each(Object.entries(KINDS))('the reference’s bits, %s values', (_, make) => {
    for (const n of [1, 3, 15, 16, 17, 40, 1000]) {
      bench.reset();
      const [x, dy, out, dx] = [
        bench.buffer(n, make(n, n)),
        bench.buffer(n, make(n, 7)),
        bench.buffer(n),
        bench.buffer(n),
      ];
      bench.run((k) => forward(k, out.address, x.address, n));
      bench.run((k) =>
        backward(k, dx.address, dy.address, (keeps === 'output' ? out : x).address, n),
      );
      for (const buffer of [x, dy, out, dx]) bench.expectTidy(buffer, n);
    }
  });

  it('may work in place', () => {
    const n = 37;
    const [x, dy] = [bench.buffer(n, wild(n, 1)), bench.buffer(n, wild(n, 2))];
    bench.run((k) => forward(k, x.address, x.address, n));
    bench.run((k) => backward(k, dy.address, dy.address, x.address, n));
  });

  it('is within 3 ulp of f64 (SiLU: 4, ELU: 5) for floats of every size', () => {
    const values = sweep();
    const n = values.length;
    const [x, out] = [bench.buffer(n, values), bench.buffer(n)];
    bench.run((k) => forward(k, out.address, x.address, n));
    const results = bench.read(out, n);
    let worst = 0;
    values.forEach((v, i) => {
      // The exponential flushes e^x to 0 below -87.33654, so σ(x) and x·σ(x) are 0; -∞·0 is NaN.
      const flushed = v < Math.fround(-87.33654) && (name === 'sigmoid' || name === 'silu');
      const limit = name === 'silu' && v === Number.NEGATIVE_INFINITY ? Number.NaN : 0;
      if (CANCELS.has(name)) {
        const bound = Number.isFinite(v) ? 2 ** -22 * Math.abs(v) + 2 ** -149 : 0;
        const error = v === Number.NEGATIVE_INFINITY ? 0 : results[i]! - f(v);
        if (results[i] !== f(v))
          expect(Math.abs(error), `${name}(${v})`).toBeLessThanOrEqual(bound);
      } else if (flushed) expect(results[i]! + 0, `${name}(${v})`).toBe(limit);
      else worst = Math.max(worst, ulps(results[i]!, f(v)));
    });
    expect(worst).toBeLessThan({ silu: 4, elu: 5 }[name] ?? 3);
  });

  it('has the slope of the function', () => {
    const n = 200;
    const values = ordinary(n, 5).map((v) => v * 6 || 0.25);
    const [x, dy, out, dx] = [
      bench.buffer(n, values),
      bench.buffer(n, ordinary(n, 6)),
      bench.buffer(n),
      bench.buffer(n),
    ];
    const gradient = bench.read(dy, n);
    bench.run((k) => forward(k, out.address, x.address, n));
    bench.run((k) =>
      backward(k, dx.address, dy.address, (keeps === 'output' ? out : x).address, n),
    );
    bench.read(dx, n).forEach((value, i) => {
      expect(Math.abs(value - gradient[i]! * slope(values[i]!))).toBeLessThan(1e-6);
    });
  });
});

describe('erf', () => {
  it('float64: the digits of tables', () => {
    const known = [
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
    ] as const;
    for (const [x, y] of known) {
      expect(Math.abs(float64.erf(x) - y)).toBeLessThan(4e-16);
      expect(float64.erf(-x)).toBe(-float64.erf(x));
    }
  });

  it('float32: within 1.3 ulp for floats of every size, odd, and exact at the ends', () => {
    let worst = 0;
    const step = 1 + 2 ** -12;
    for (let x = 1e-6; x < 8; x *= step) {
      const v = Math.fround(x);
      worst = Math.max(worst, ulps(float32.erf(v), float64.erf(v)));
      expect(float32.erf(-v)).toBe(-float32.erf(v));
    }
    for (const v of sweep()) worst = Math.max(worst, ulps(float32.erf(v), float64.erf(v)));
    expect(worst).toBeLessThan(1.3);
    expect(float32.erf(0)).toBe(0);
    expect(float32.erf(-0)).toBe(-0);
    expect(float32.erf(Number.NaN)).toBeNaN();
    expect(float32.erf(-4)).toBe(-1);
  });
});

describe('softmax', () => {
  it('the reference’s bits; rows of sum 1; the gradient of calculus; in place', () => {
    for (const make of Object.values(KINDS)) {
      for (const [rows, cols] of [
        [1, 1],
        [3, 5],
        [2, 8],
        [5, 19],
      ] as const) {
        bench.reset();
        const n = rows * cols;
        const [x, dy] = [bench.buffer(n, make(n, n)), bench.buffer(n, make(n, 7))];
        const [y, dx] = [bench.buffer(n), bench.buffer(n)];
        bench.run((k) => k.softmax(y.address, x.address, rows, cols));
        bench.run((k) => k.softmaxGrad(dx.address, dy.address, y.address, rows, cols));
        for (const buffer of [x, dy, y, dx]) bench.expectTidy(buffer, n);
        const [out, d, gradient] = [y, dx, dy].map((buffer) => bench.read(buffer, n));
        if (make === ordinary) {
          for (let r = 0; r < rows; r++) {
            const of = (values?: Float32Array) => values!.subarray(r * cols, (r + 1) * cols);
            expect(of(out).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
            const mean = of(out).reduce((sum, p, j) => sum + p * of(gradient)[j]!, 0);
            of(d).forEach((value, j) => {
              expect(value).toBeCloseTo(of(out)[j]! * (of(gradient)[j]! - mean), 6);
            });
          }
        }
        bench.run((k) => k.softmax(x.address, x.address, rows, cols));
        expect(bench.read(x, n)).toEqual(out);
        bench.run((k) => k.softmaxGrad(dy.address, dy.address, x.address, rows, cols));
        expect(bench.read(dy, n)).toEqual(d);
      }
    }
  });
});

it('maxima of groups: the first of equals, and NaN; their gradients', () => {
  const values = Float32Array.of(1, 1, 0, Number.NaN, -2, 3, -1, -0.5, -3);
  const [z, y, index] = [bench.buffer(9, values), bench.buffer(3), bench.buffer(3)];
  bench.run((k) => k.groupMax(y.address, index.address, z.address, 3, 3));
  expect([...bench.read(y, 3)]).toEqual([1, Number.NaN, -0.5]);
  // NaN stays the greatest, since nothing is greater.
  expect([...bench.readInts(index, 3)]).toEqual([0, 0, 1]);
  const [dz, dy] = [bench.buffer(9, values), bench.buffer(3, Float32Array.of(5, 6, 7))];
  bench.run((k) => k.groupMaxGrad(dz.address, dy.address, index.address, 3, 3));
  expect([...bench.read(dz, 9)]).toEqual([5, 0, 0, 6, 0, 0, 0, 7, 0]);
});

it('repeated rows, and the sums of their gradients', () => {
  for (const [rows, times, cols] of [
    [1, 1, 1],
    [3, 4, 5],
    [2, 3, 18],
  ] as const) {
    bench.reset();
    const n = rows * cols;
    const [x, y] = [bench.buffer(n, wild(n, 1)), bench.buffer(n * times)];
    bench.run((k) => k.repeatRows(y.address, x.address, rows, times, cols));
    const [dy, dx] = [bench.buffer(n * times, wild(n * times, 2)), bench.buffer(n)];
    bench.run((k) => k.repeatRowsGrad(dx.address, dy.address, rows, times, cols));
    for (const buffer of [x, dx]) bench.expectTidy(buffer, n);
    for (const buffer of [y, dy]) bench.expectTidy(buffer, n * times);
    const [given, repeated] = [bench.read(x, n), bench.read(y, n * times)];
    repeated.forEach((value, i) => {
      expect(value).toBe(given[Math.floor(i / (times * cols)) * cols + (i % cols)]);
    });
  }
});

it('signed zeros stay, NaN passes, the ends are exact', () => {
  const x = bench.buffer(
    5,
    Float32Array.of(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  const out = bench.buffer(5);
  bench.run((k) => k.tanh(out.address, x.address, 5));
  expect([...bench.read(out, 5)]).toEqual([0, -0, Number.NaN, 1, -1]);
  bench.run((k) => k.sigmoid(out.address, x.address, 5));
  expect([...bench.read(out, 5)]).toEqual([0.5, 0.5, Number.NaN, 1, 0]);
});

describe('dropout', () => {
  const KEY = [0x12345678, 0x9abcdef0] as const;

  function drop(values: Float32Array, rate: number, stream: number, step: number): Float32Array {
    bench.reset();
    const n = values.length;
    const [x, out] = [bench.buffer(n, values), bench.buffer(n)];
    const threshold = Math.round(rate * 2 ** 32);
    bench.run((k) =>
      k.dropout(out.address, x.address, n, threshold, 1 / (1 - rate), ...KEY, stream, step),
    );
    bench.expectTidy(out, n);
    return bench.read(out, n);
  }

  it('the reference’s bits for every length and kind', () => {
    for (const make of Object.values(KINDS))
      for (const n of [1, 5, 16, 17, 100]) drop(make(n, 1), 0.5, 3, n);
  });

  it('draws what Philox gives, as the ABI says', () => {
    const kept = drop(new Float32Array(64).fill(1), 0.25, 7, 11);
    const words = new Uint32Array(4);
    for (let i = 0; i < 64; i++) {
      philoxInto(words, 4 * (i >> 4) + (i & 3), 11, 7, 0, ...KEY);
      expect(kept[i]).toBe(words[(i & 15) >> 2]! < 2 ** 30 ? 0 : Math.fround(1 / 0.75));
    }
  });

  it('drops the rate that was asked for, and others in another step or stream', () => {
    const ones = new Float32Array(20_000).fill(1);
    const first = drop(ones, 0.3, 0, 1);
    const dropped = first.filter((v) => v === 0).length;
    expect(Math.abs(dropped / ones.length - 0.3)).toBeLessThan(0.015);
    expect(drop(ones, 0.3, 0, 1)).toEqual(first);
    for (const other of [drop(ones, 0.3, 0, 2), drop(ones, 0.3, 1, 1)]) {
      const alike = other.filter((v, i) => (v === 0) === (first[i] === 0)).length / ones.length;
      expect(Math.abs(alike - (0.3 ** 2 + 0.7 ** 2))).toBeLessThan(0.02);
    }
  });
});
