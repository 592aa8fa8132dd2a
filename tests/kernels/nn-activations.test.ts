/**
 * Activations and dropout of the shipped nn binaries: the reference's bits, error bounds,
 * calculus's gradients.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { philoxInto } from '../../src/math/philox';
import type { NNKernels } from '../../src/runtime/kernels-nn';
import { Bench } from './arena';
import { KINDS, ordinary, wild } from './values';

const bench = new Bench();
beforeEach(() => bench.reset());

const SLOPE = 0.01;
type Unary = (k: NNKernels, out: number, x: number, n: number) => void;
type Backward = (k: NNKernels, dx: number, dy: number, kept: number, n: number) => void;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

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

  it('is within 3 ulp of f64 (SiLU: 4) for floats of every size', () => {
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
      if (flushed) expect(results[i]! + 0, `${name}(${v})`).toBe(limit);
      else worst = Math.max(worst, ulps(results[i]!, f(v)));
    });
    expect(worst).toBeLessThan(name === 'silu' ? 4 : 3);
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
