/** The weighted mean of models. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageStates } from '../../src/entries/gradients';
import { AdaL, OutOfMemoryError, SGD } from '../../src/index';
import { createRuntime } from '../../src/runtime/runtime';
import { ordinary, strange } from '../kernels/values';
import { BACKENDS, bitsOf, oracle, simd, withRuntime } from '../support/backends';

const state = (seed: number, make = ordinary) => ({ w: make(8200, seed), b: make(5, seed + 100) });

describe.each(BACKENDS)('on $name', (backend) => {
  it('has the bits of the oracle', async () => {
    const states = [1, 2, 3, 4, 5].map((seed) => state(seed, strange));
    const weights = [600, 0, 17, 0.25, 1e-3];
    const run = (on: typeof backend) =>
      withRuntime(on, (runtime) => averageStates(runtime, states, weights));
    const [got, reference] = [await run(backend), await run(oracle)];
    for (const name of ['w', 'b']) expect(bitsOf(got[name])).toEqual(bitsOf(reference[name]));
  });
});

it('is the weighted mean, within float32', async () => {
  await withRuntime(simd, (runtime) => {
    const weight = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e3, noNaN: true }));
    const weights = fc
      .array(weight, { minLength: 1, maxLength: 8 })
      .filter((all) => all.some((w) => w > 0));
    fc.assert(
      fc.property(weights, fc.nat(1000), (all, seed) => {
        const states = all.map((_, i) => state(seed + 17 * i));
        const mean = averageStates(runtime, states, all);
        const total = all.reduce((sum, w) => sum + w, 0);
        for (let i = 0; i < 5; i++) {
          const expected = all.reduce((sum, w, k) => sum + w * states[k].b[i], 0) / total;
          expect(Math.abs(mean.b[i] - expected)).toBeLessThan(all.length * 2 ** -23);
        }
      }),
      { numRuns: 30 },
    );
  });
});

it('of equal states is that state; of one state a copy; weight 0 counts for nothing', async () => {
  await withRuntime(simd, (runtime) => {
    const one = state(3);
    const equal = averageStates(runtime, [one, one, one], [1, 2, 4]);
    expect(equal).toEqual({ ...one });
    const copy = averageStates(runtime, [one]);
    expect(copy.w).toEqual(one.w);
    expect(copy.w).not.toBe(one.w);
    const poison = { w: new Float32Array(8200).fill(NaN), b: new Float32Array(5).fill(Infinity) };
    expect(averageStates(runtime, [poison, one, poison, one], [0, 1, 0, 3])).toEqual({ ...one });
    expect(Object.keys(equal)).toEqual(['w', 'b']);
  });
});

it('takes state dicts and live views while memory grows; frees its scratch', async () => {
  await withRuntime(simd, (runtime) => {
    const optimizers = [1, 2].map(
      (seed) => new AdaL(runtime, { w: ordinary(100_000, seed), params: new Float32Array([seed]) }),
    );
    const { usedBytes, memoryBytes } = runtime.info;
    const live = averageStates(
      runtime,
      optimizers.map(({ params }) => params),
    );
    expect(runtime.info.usedBytes).toBe(usedBytes);
    expect(runtime.info.memoryBytes).toBeGreaterThan(memoryBytes);
    const dicts = averageStates(
      runtime,
      optimizers.map((optimizer) => optimizer.stateDict()),
    );
    expect(dicts).toEqual(live);
    expect([...live.params]).toEqual([1.5]);
  });
});

it('refuses what does not fit, naming it', async () => {
  await withRuntime(simd, (runtime) => {
    const good = { w: new Float32Array(2) };
    const dict = new SGD(runtime, good).stateDict();
    const cases: [unknown, unknown, string][] = [
      [undefined, undefined, 'states'],
      [[], undefined, 'states'],
      [[good, null], undefined, 'states[1]'],
      [[new Float32Array(2)], undefined, 'states[0]'],
      [[{}], undefined, 'states[0]'],
      [[good, { w: new Float32Array(3) }], undefined, 'states[1].w'],
      [[good, {}], undefined, 'states[1].w'],
      [[good, { ...good, v: good.w }], undefined, 'states[1].v'],
      [[{ w: [1, 2] }], undefined, 'states[0].w'],
      [[good, { ...dict, params: { w: null } }], undefined, 'states[1].w'],
      [[good, good], [1], 'weights'],
      [[good, good], [1, -1], 'weights[1]'],
      [[good, good], [1, NaN], 'weights[1]'],
      [[good, good], [0, 0], 'weights'],
      [[good, good], [1e308, 1e308], 'weights'],
    ];
    for (const [states, weights, argument] of cases) {
      expect(() => averageStates(runtime, states as never, weights as never)).toThrow(
        expect.objectContaining({ argument }),
      );
    }
  });
});

it('leaves nothing allocated when memory does not suffice', async () => {
  const runtime = await createRuntime({ backend: 'simd', maxMemory: 2 ** 20 });
  const { usedBytes } = runtime.info;
  expect(() => averageStates(runtime, [{ w: new Float32Array(200_000) }])).toThrow(
    OutOfMemoryError,
  );
  expect(runtime.info.usedBytes).toBe(usedBytes);
  runtime.dispose();
});
