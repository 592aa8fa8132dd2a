/**
 * stepRows: dense steps' bits where all rows are given, and nothing but the rows given where not.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/checkpoint';
import {
  AdaL,
  Adam,
  ArgumentError,
  createOptimizer,
  NonFiniteGradientError,
  type Optimizer,
} from '../../src/index';
import { Prng } from '../../src/math/prng';
import { BACKENDS, bitsOf, oracle, simd, withRuntime } from '../support/backends';
import { RULE_CASES } from '../support/rules';
import { snapshot } from '../support/snapshot';

const ROWS = 11;
const LENGTH = 7;
const ALL_ROWS = Array.from({ length: ROWS }, (_, i) => i);
const CASES = RULE_CASES.filter(([, name]) => name !== 'schedule-free-adamw');

function normals(seed: number, count: number, scale = 1): Float32Array {
  const prng = new Prng(5, seed);
  return Float32Array.from({ length: count }, () => scale * prng.normal());
}

const table = (sparse: boolean) => ({
  shape: [ROWS, LENGTH],
  data: normals(0, ROWS * LENGTH),
  sparse,
});
const SCALES = [1, 1e-6, 1e-6, 30, 1e3, 1e-3];

describe.each(CASES)('%s', (_, name, options) => {
  it('has the bits of dense steps when all rows are given, on every backend', async () => {
    for (const backend of BACKENDS) {
      await withRuntime(backend, async (runtime) => {
        const dense = await createOptimizer(name, { w: table(false) }, { runtime, ...options });
        const sparse = await createOptimizer(name, { w: table(true) }, { runtime, ...options });
        for (let t = 1; t <= 18; t++) {
          const w = normals(t, ROWS * LENGTH, SCALES[t % SCALES.length]);
          const result = dense.step({ w });
          expect(sparse.stepRows('w', ALL_ROWS, w)).toEqual(result);
        }
        expect(bitsOf(sparse.params.w), backend.name).toEqual(bitsOf(dense.params.w));
        const [expected, { e, ...arrays }] = [dense, sparse].map(
          (optimizer) => optimizer.stateDict().state.w.arrays,
        );
        expect(arrays).toEqual(expected);
        const exponents = name === 'adal' ? [dense.stateDict().state.w.exponent] : [];
        expect(new Set(e as Int16Array | undefined)).toEqual(new Set(exponents));
      });
    }
  });

  it('touches only the given rows; same bits on every backend and after resumption', async () => {
    const run = (backend: typeof simd, interrupted: boolean) =>
      withRuntime(backend, async (runtime) => {
        let optimizer = await createOptimizer(
          name,
          { w: table(true), b: new Float32Array(3) },
          { runtime, ...options },
        );
        const prng = new Prng(3);
        for (let t = 1; t <= 40; t++) {
          const rows = Array.from({ length: 1 + Math.floor(4 * prng.uniform()) }, () =>
            Math.floor(ROWS * prng.uniform()),
          );
          const before = tableBits(optimizer);
          optimizer.stepRows(
            'w',
            rows,
            normals(t, rows.length * LENGTH, SCALES[t % SCALES.length]),
          );
          expect(rows).toEqual(
            expect.arrayContaining([...changedRows(before, tableBits(optimizer))]),
          );
          optimizer.step({ b: normals(100 + t, 3) });
          if (!interrupted || t % 7 !== 0) continue;
          const saved = encodeCheckpoint(optimizer.stateDict());
          optimizer = await createOptimizer(
            name,
            { w: table(true), b: new Float32Array(3) },
            { runtime, ...options },
          );
          optimizer.loadStateDict(decodeCheckpoint(saved).stateDict);
        }
        return snapshot(optimizer);
      });
    const reference = await run(oracle, false);
    for (const backend of BACKENDS.slice(1))
      expect(await run(backend, true), backend.name).toEqual(reference);
  });
});

/** Values and state of w. */
function tableBits(optimizer: Optimizer): Uint32Array[] {
  const { params, state } = optimizer.stateDict();
  return [params.w.data, ...Object.values(state.w.arrays)]
    .filter((a) => a instanceof Float32Array)
    .map(bitsOf);
}

/** Rows of w in which any of them differ. */
function changedRows(before: readonly Uint32Array[], after: readonly Uint32Array[]): Set<number> {
  const rows = new Set<number>();
  for (const [key, bits] of after.entries()) {
    for (const [i, value] of bits.entries())
      if (value !== before[key][i]) rows.add(Math.floor(i / LENGTH));
  }
  return rows;
}

it.each(['adal', 'adam'] as const)('%s: bf16 state, too', async (name) => {
  const run = (backend: typeof simd) =>
    withRuntime(backend, async (runtime) => {
      const optimizer = await createOptimizer(
        name,
        { w: table(true) },
        { runtime, state: 'bf16', seed: 4 },
      );
      const prng = new Prng(8);
      for (let t = 1; t <= 30; t++) {
        const rows = [Math.floor(ROWS * prng.uniform()), Math.floor(ROWS * prng.uniform())];
        optimizer.stepRows('w', rows, normals(t, 2 * LENGTH, SCALES[t % SCALES.length]));
      }
      expect(optimizer.params.w.every(Number.isFinite)).toBe(true);
      return snapshot(optimizer);
    });
  const reference = await run(oracle);
  for (const backend of BACKENDS.slice(1))
    expect(await run(backend), backend.name).toEqual(reference);
});

it('adds gradients of the same row in their order, whatever the order of rows', async () => {
  await withRuntime(simd, async (runtime) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(ROWS - 1), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        async (rows, seed) => {
          const grads = normals(seed, rows.length * LENGTH);
          const sums = new Map<number, Float32Array>();
          rows.forEach((row, i) => {
            const sum = sums.get(row) ?? new Float32Array(LENGTH);
            sums.set(
              row,
              sum.map((x, k) => x + grads[i * LENGTH + k]),
            );
          });
          const optimizers = [1, 2].map(() => new AdaL(runtime, { w: table(true) }));
          optimizers[0].stepRows('w', Uint16Array.from(rows), grads);
          const distinct = [...sums.keys()].sort((a, b) => b - a);
          optimizers[1].stepRows(
            'w',
            distinct,
            Float32Array.from(distinct.flatMap((row) => [...sums.get(row)!])),
          );
          expect(snapshot(optimizers[0])).toEqual(snapshot(optimizers[1]));
          for (const optimizer of optimizers) optimizer.dispose();
        },
      ),
    );
  });
});

/** AdaL with lazy moments in float64, unscaled. */
function reference(
  rows: readonly number[][],
  gradients: readonly Float32Array[],
  lr: number,
): Float64Array {
  const theta = Float64Array.from(normals(0, ROWS * LENGTH));
  const m = new Float64Array(ROWS * LENGTH);
  const v = new Float64Array(ROWS * LENGTH);
  for (const [index, touched] of rows.entries()) {
    const g = gradients[index];
    const t = index + 1;
    const S = g.reduce((sum, x) => sum + Math.abs(x), 0);
    touched.forEach((row, i) => {
      for (let k = 0; k < LENGTH; k++) {
        const j = row * LENGTH + k;
        const h = S * g[i * LENGTH + k];
        m[j] = 0.9 * m[j] + 0.1 * h;
        v[j] = 0.999 * v[j] + 0.001 * h * h;
        if (v[j] > 0)
          theta[j] -=
            ((lr / Math.sqrt(t)) * (m[j] / (1 - 0.9 ** t))) / Math.sqrt(v[j] / (1 - 0.999 ** t));
      }
    });
  }
  return theta;
}

it.each([
  ['steady', () => 1],
  ['that rise a thousandfold', (t: number) => 2 ** (t / 6)],
  ['that fall to a thirtieth', (t: number) => 2 ** (-t / 12)],
])('AdaL: rows keep scales of their own, with gradients %s', async (_, scaleAt) => {
  const prng = new Prng(21);
  const rows = Array.from({ length: 60 }, () => {
    const first = Math.floor(ROWS * prng.uniform());
    return [first, (first + 3) % ROWS];
  });
  const gradients = rows.map((touched, t) => normals(t, touched.length * LENGTH, scaleAt(t)));
  await withRuntime(simd, (runtime) => {
    const optimizer = new AdaL(runtime, { w: table(true) }, { lr: 0.01, eps: 0 });
    for (const [t, touched] of rows.entries()) optimizer.stepRows('w', touched, gradients[t]);
    const expected = reference(rows, gradients, 0.01);
    // 60 steps of .01 in float32: rounding of weights near 1, and of m̂/√v̂.
    for (const [i, x] of optimizer.params.w.entries())
      expect(Math.abs(x - expected[i])).toBeLessThan(2e-6);
  });
});

it('AdaL: a row untouched while norms changed by any power comes back finite', async () => {
  await withRuntime(simd, (runtime) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(ROWS - 1), fc.integer({ min: -30, max: 28 })), { maxLength: 40 }),
        (steps) => {
          const optimizer = new AdaL(runtime, { w: table(true) }, { eps: 0 });
          steps.forEach(([row, k], t) => {
            optimizer.stepRows('w', [row], normals(t, LENGTH, 10 ** k));
          });
          expect(optimizer.params.w.every(Number.isFinite)).toBe(true);
          optimizer.dispose();
        },
      ),
    );
  });
});

describe('refuses', () => {
  it.each<[string, unknown[], string]>([
    [
      'a dense parameter',
      ['b', [0], new Float32Array(3)],
      '"name" expected the name of a parameter created with sparse: true',
    ],
    [
      'a row out of range',
      ['w', [0, ROWS], new Float32Array(14)],
      '"rowIndices[1]" expected an integer in [0, 10], got 11',
    ],
    ['half a row', ['w', [0.5], new Float32Array(7)], '"rowIndices[0]" expected an integer'],
    [
      'no rows',
      ['w', [], new Float32Array(0)],
      '"rowIndices" expected an array of at least one row index',
    ],
    [
      'too few gradients',
      ['w', [1, 2], new Float32Array(7)],
      '"grads" expected a Float32Array of 14 elements',
    ],
    [
      'a frozen group',
      ['ice', [0], new Float32Array(1)],
      '"name" expected a parameter of a group that is not frozen',
    ],
  ])('%s', async (_, args, message) => {
    await withRuntime(simd, (runtime) => {
      const ice = { params: { ice: { shape: [3], sparse: true } }, frozen: true };
      const optimizer = new Adam(runtime, [
        { params: { w: table(true), b: new Float32Array(3) } },
        ice,
      ]);
      const before = snapshot(optimizer);
      expect(() => optimizer.stepRows(...(args as Parameters<typeof optimizer.stepRows>))).toThrow(
        message,
      );
      expect(snapshot(optimizer)).toEqual(before);
    });
  });

  it('gradients that are not finite, and changes nothing', async () => {
    await withRuntime(simd, (runtime) => {
      const bad = Float32Array.of(1, Number.NaN, 0, Infinity, 0, 0, 0);
      const throwing = new AdaL(runtime, { w: table(true) });
      const skipping = new AdaL(runtime, { w: table(true) }, { onNonFinite: 'skip' });
      for (const optimizer of [throwing, skipping])
        optimizer.stepRows('w', [2], normals(1, LENGTH));
      const before = snapshot(throwing);
      expect(() => throwing.stepRows('w', [2], bad)).toThrow(NonFiniteGradientError);
      expect(skipping.stepRows('w', [2], bad)).toMatchObject({
        step: 1,
        skipped: true,
        nonFinite: 2,
        reason: 'non-finite',
      });
      expect(snapshot(throwing)).toEqual(before);
      expect(snapshot(skipping)).toEqual(before);
    });
  });

  it('8-bit state, and Schedule-Free AdamW, at creation', async () => {
    const w = { shape: [1000, 64], sparse: true };
    await expect(createOptimizer('adam', { w }, { state: '8bit' })).rejects.toThrow(
      `"state" expected 'f32' or 'bf16'`,
    );
    await expect(createOptimizer('schedule-free-adamw', { w })).rejects.toThrow(
      '"params.w.sparse" expected false',
    );
    await expect(createOptimizer('adam', { w: { ...w, sparse: 1 } } as never)).rejects.toThrow(
      ArgumentError,
    );
  });
});

it('has no dense gradient, and gives everything back', async () => {
  await withRuntime(simd, (runtime) => {
    const { usedBytes } = runtime.info;
    const optimizer = new Adam(runtime, { w: { shape: [10_000, 16], sparse: true } });
    expect(Object.keys(optimizer.grads)).toEqual([]);
    for (const count of [5, 40, 300])
      optimizer.stepRows(
        'w',
        Array.from({ length: count }, (_, i) => i),
        new Float32Array(16 * count),
      );
    const memory = optimizer.memory();
    expect(memory).toMatchObject({ params: 640_000, gradients: 0, state: 1_280_000 });
    // 512 rows of parameter, gradient and two moments, and the tables.
    expect(memory.scratch).toBeLessThan(512 * 16 * 4 * 4 + 512 * 4 + 4096);
    expect(optimizer.step({})).toMatchObject({ step: 1, gradNorm: 0 });
    optimizer.dispose();
    expect(runtime.info.usedBytes).toBe(usedBytes);
  });
});
