/**
 * Compact state: its size, that its averages still move, and that every backend keeps the same
 * codes.
 */
import { describe, expect, it } from 'vitest';
import { REFERENCE_ENCODERS } from '../../build/reference-kernels';
import { AdaL, Adam, createOptimizer } from '../../src/index';
import { roundingKey } from '../../src/math/rounding';
import { readerOf } from '../../src/optimizers/state-array';
import { codecOf } from '../../src/optimizers/state-formats';
import { oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { fillRough, rough } from '../support/gradients';
import { COMPACT_CASES } from '../support/rules';
import { snapshot } from '../support/snapshot';

const FORMATS = ['bf16', '8bit'] as const;
/** Ragged ends of scale blocks, stages and blocks. */
const SHAPES = {
  a: { shape: [1] },
  b: { shape: [255] },
  c: { shape: [257] },
  d: { shape: [2 * 8192 + 2048 + 300] },
};

it.each(COMPACT_CASES)(
  '%s: the same bits on every backend, past a flush, and after loading',
  async (_, name, compact) => {
    const options = { ...compact, weightDecay: 0.01 };
    const run = (backend: typeof simd, interrupted: boolean) =>
      withRuntime(backend, async (runtime) => {
        let optimizer = await createOptimizer(name, SHAPES, { runtime, ...options });
        for (let t = 1; t <= 18; t++) {
          fillRough(optimizer, t, t > 12 ? 1e-12 : 1);
          optimizer.step();
          if (!interrupted || t % 5 !== 0) continue;
          const dict = optimizer.stateDict();
          optimizer = await createOptimizer(name, SHAPES, { runtime, ...options });
          optimizer.loadStateDict(dict);
        }
        return snapshot(optimizer);
      });
    const reference = await run(oracle, false);
    for (const backend of [simd, THREAD_CASES[2]])
      expect(await run(backend, true), backend.name).toEqual(reference);
  },
);

describe('memory', () => {
  const shapes = { w: { shape: [100_000] }, bias: { shape: [100] } };

  it.each([
    ['f32', 8],
    ['bf16', 4],
    ['8bit', 2.05],
  ] as const)('%s takes at most %d bytes a parameter', async (state, most) => {
    await withRuntime(simd, (runtime) => {
      const before = runtime.info.usedBytes;
      const optimizer = new AdaL(runtime, { w: { shape: [1_000_000] } }, { state });
      const memory = optimizer.memory();
      expect(memory.state / 1_000_000).toBeLessThanOrEqual(most);
      expect(memory.state / 1_000_000).toBeGreaterThan(0.98 * most);
      expect(memory.params).toBe(4_000_000);
      expect(memory.gradients).toBe(4_000_000);
      expect(memory.total).toBe(memory.params + memory.gradients + memory.state + memory.scratch);
      // What the arena adds is rounding to whole cache lines.
      expect(runtime.info.usedBytes - before - memory.total).toBeLessThan(64 * 5);
      expect(runtime.info.usedBytes - before).toBeGreaterThanOrEqual(memory.total);
      optimizer.dispose();
      expect(runtime.info.usedBytes).toBe(before);
    });
  });

  it('parameters below min8bitSize keep float32 state; groups set their own', async () => {
    await withRuntime(simd, (runtime) => {
      const small = new Adam(runtime, shapes, { state: '8bit' });
      expect(small.stateDict().state.bias.arrays.exp_avg).toBeInstanceOf(Float32Array);
      expect(small.stateDict().state.w.arrays.exp_avg).toMatchObject({ dtype: '8bit' });
      const mixed = new Adam(runtime, [
        { params: { w: shapes.w }, state: 'bf16' },
        { params: { bias: shapes.bias }, state: '8bit', min8bitSize: 100 },
      ]);
      expect(mixed.stateDict().state.w.arrays.exp_avg).toMatchObject({ dtype: 'bf16' });
      expect(mixed.stateDict().state.bias.arrays.exp_avg_sq).toMatchObject({ dtype: '8bit' });
      expect(mixed.paramGroups[0].state).toBe('bf16');
      expect(() => Object.assign(mixed.paramGroups[0], { state: 'f32' })).toThrow(TypeError);
    });
  });

  it("AMSGrad's running maximum stays float32", async () => {
    await withRuntime(simd, async (runtime) => {
      const optimizer = await createOptimizer('amsgrad', shapes, { runtime, state: '8bit' });
      expect(optimizer.stateDict().state.w.arrays.max_exp_avg_sq).toBeInstanceOf(Float32Array);
    });
  });
});

describe.each(FORMATS)('%s', (state) => {
  const codec = codecOf(state);

  /** Encodes and decodes by the oracle, which has the kernels' bits. */
  function roundTrip(kind: 'first' | 'second', values: Float32Array, key: number): Float32Array {
    const buffer = new ArrayBuffer(2 ** 16);
    const moment = { buffer, second: kind === 'second', codes: 1024, scales: 512 };
    REFERENCE_ENCODERS[codec.id](moment, 0, values, key);
    const state = codec.view(buffer, moment.codes, moment.scales, values.length);
    const read = codec.reader(state, moment.second);
    return values.map((_, i) => read(i));
  }

  it('the second moment is never coded as zero unless it is, nor as negative', () => {
    const draws = rough(3);
    for (let round = 0; round < 200; round++) {
      const v = Float32Array.from({ length: 256 }, (_, i) =>
        i % 7 === 0 ? 0 : 2 ** (120 * draws.next().value),
      );
      const decoded = roundTrip('second', v, roundingKey(round, 1));
      for (const [i, x] of decoded.entries()) expect(x > 0, `${v[i]} became ${x}`).toBe(v[i] > 0);
    }
  });

  it('codes that are decoded and encoded again are the same', () => {
    const draws = rough(4);
    for (const kind of ['first', 'second'] as const) {
      const values = Float32Array.from({ length: 256 }, () => {
        const x = draws.next().value * 2 ** (20 * draws.next().value);
        return kind === 'first' ? x : Math.abs(x);
      });
      const once = roundTrip(kind, values, 1);
      expect(roundTrip(kind, once, 2)).toEqual(once);
    }
  });

  it('rounding is right on average', () => {
    const draws = rough(5);
    const values = Float32Array.from({ length: 256 }, () => 0.3 + Math.abs(draws.next().value));
    for (const kind of state === 'bf16' ? (['second'] as const) : (['first', 'second'] as const)) {
      const sums = new Float64Array(256);
      const rounds = 2000;
      for (let round = 0; round < rounds; round++) {
        for (const [i, x] of roundTrip(kind, values, roundingKey(7, round)).entries())
          sums[i] += x / rounds;
      }
      // Steps are at most an eighth of a value: the mean of 2,000 scatters by less than 0.15%.
      for (const [i, mean] of sums.entries())
        expect(Math.abs(mean / values[i] - 1)).toBeLessThan(0.007);
    }
  });

  it('the second moment of what gets no gradients decays as it should', async () => {
    const n = 8192;
    await withRuntime(simd, (runtime) => {
      const optimizer = new Adam(runtime, { w: { shape: [n] } }, { state, lr: 0 });
      const draws = rough(6);
      for (let i = 0; i < n; i++) optimizer.grads.w[i] = 1 + 0.5 * draws.next().value;
      for (let t = 0; t < 50; t++) optimizer.step();
      const mean = () => meanSecondMoment(optimizer, n);
      const before = mean();
      // One of each block goes on, so that the block's scale stays.
      for (let i = 0; i < n; i++) if (i % 256 !== 0) optimizer.grads.w[i] = 0;
      for (let t = 0; t < 3000; t++) optimizer.step();
      const ratio = mean() / before / 0.999 ** 3000;
      expect(ratio).toBeGreaterThan(0.9);
      expect(ratio).toBeLessThan(1.1);
    });
  });
});

/** The mean over the elements whose gradients stopped. */
function meanSecondMoment(optimizer: Adam, n: number): number {
  const read = readerOf(optimizer.stateDict().state.w.arrays.exp_avg_sq, true);
  const values = Float32Array.from({ length: n }, (_, i) => read(i));
  return values.reduce((sum, x, i) => (i % 256 === 0 ? sum : sum + x), 0) / (n - n / 256);
}

it.each([
  ['state', { state: 'float7' }],
  ['min8bitSize', { min8bitSize: -1 }],
  ['seed', { seed: 0.5 }],
])('refuses a wrong %s', async (argument, options) => {
  await withRuntime(simd, (runtime) => {
    expect(() => new Adam(runtime, SHAPES, options as object)).toThrow(`"${argument}"`);
  });
});

it('state of another format cannot be loaded, and changes nothing', async () => {
  await withRuntime(simd, (runtime) => {
    const [compact, plain] = [
      new Adam(runtime, SHAPES, { state: 'bf16' }),
      new Adam(runtime, SHAPES),
    ];
    const before = snapshot(plain);
    expect(() => plain.loadStateDict(compact.stateDict())).toThrow('stateDict');
    expect(snapshot(plain)).toEqual(before);
  });
});
