/** The same bits from every backend, thread count, length and split into tensors and groups. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdaL, type AdaLOptions, type ParamGroupInit, type ParamsInit } from '../../src/index';
import { createRuntime, type Runtime } from '../../src/runtime/runtime';
import { type BackendCase, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { fillRough } from '../support/gradients';
import { type Snapshot, snapshot } from '../support/snapshot';

const CASES: readonly BackendCase[] = [simd, ...THREAD_CASES];

interface Scenario {
  readonly params: () => ParamsInit;
  readonly options?: AdaLOptions;
  readonly steps: number;
}

/**
 * Runs a scenario with gradients that swing over a few scales; snapshots after the first, the last,
 * and the flushed step.
 */
function run(runtime: Runtime, { params, options, steps }: Scenario): Snapshot[] {
  const optimizer = new AdaL(runtime, params(), options);
  const snapshots: Snapshot[] = [];
  for (let t = 1; t <= steps; t++) {
    fillRough(optimizer, 7 * t, 2 ** ((t % 9) - 4));
    optimizer.step();
    if (t === 1 || t === 16 || t === steps) snapshots.push(snapshot(optimizer));
  }
  optimizer.dispose();
  return snapshots;
}

function values(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.fround(Math.sqrt(i + seed) - 3));
}

const GROUPS: readonly ParamGroupInit[] = [
  {
    params: { a: values(70, 1), b: { shape: [3, 5], data: values(15, 2) } },
    lr: 0.1,
    weightDecay: 0.01,
  },
  { params: { c: values(20_000, 3) }, betas: [0.8, 0.95], eps: 0 },
  {
    params: { d: values(1, 4), e: values(8193, 5), f: values(33, 6) },
    lr: (step) => 0.1 / step,
    eps: 1e-3,
  },
  { params: { g: values(100, 7) }, frozen: true },
];
const SAME_BETAS: ParamsInit = GROUPS.map((group) => ({ ...group, betas: [0.9, 0.99] as const }));

const SCENARIOS: Record<string, Scenario> = {
  'several tensors and groups': { params: () => GROUPS, steps: 20 },
  'several tensors and groups, no decay': {
    params: () => GROUPS,
    options: { decay: 'none', weightDecay: 0.1 },
    steps: 20,
  },
  'several groups, global norm': {
    params: () => SAME_BETAS,
    options: { normScope: 'global' },
    steps: 20,
  },
  'many small tensors': {
    params: () =>
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, values(i + 1, i)])),
    steps: 17,
  },
  'many small tensors, global norm': {
    params: () =>
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, values(100 - i, i)])),
    options: { normScope: 'global', eps: 0 },
    steps: 17,
  },
};
for (const length of [4095, 4096, 4097, 8191, 8192, 8193, 16_385]) {
  SCENARIOS[`length ${length}`] = {
    params: () => ({ w: values(length, 1) }),
    options: { weightDecay: 0.01 },
    steps: 17,
  };
}

describe('oracle, simd and 1, 2, 3, 7 threads', () => {
  const runtimes: { name: string; runtime: Runtime }[] = [];
  let reference: Runtime;

  beforeAll(async () => {
    reference = await createRuntime(oracle.options);
    for (const { name, options } of CASES)
      runtimes.push({ name, runtime: await createRuntime(options) });
  });
  afterAll(() => {
    for (const { runtime } of runtimes) runtime.dispose();
    reference.dispose();
  });

  function expectSame(scenario: Scenario): void {
    const expected = run(reference, scenario);
    for (const { name, runtime } of runtimes)
      expect(run(runtime, scenario), name).toEqual(expected);
  }

  it('agree for lengths 1 to 70', () => {
    for (let length = 1; length <= 70; length++) {
      expectSame({
        params: () => ({ w: values(length, length) }),
        options: { eps: length % 2 ? 0 : 1e-8 },
        steps: 18,
      });
    }
  });

  it.each(Object.entries(SCENARIOS))('agree for %s', (_, scenario) => expectSame(scenario));

  it('agree for length 1,000,003', () => {
    expectSame({
      params: () => ({ w: values(1_000_003, 1) }),
      options: { weightDecay: 0.01 },
      steps: 3,
    });
  });

  it('shared the work: the threads were there to the end', () => {
    for (const [index, { runtime }] of runtimes.slice(1).entries()) {
      expect(runtime.info).toMatchObject({ backend: 'threads', threads: [1, 2, 3, 7][index] });
    }
  });

  it('agree for any floats in any shapes', () => {
    const float = fc.oneof(
      { weight: 4, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(0, -0, 2 ** -149, -(2 ** -126), 2 ** -127, 3.4e38, -1e30),
      },
      { weight: 4, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
    );
    const tensor = fc.record({
      values: fc.array(float, { minLength: 1, maxLength: 40 }),
      grads: fc.array(fc.array(float, { minLength: 1, maxLength: 40 }), {
        minLength: 5,
        maxLength: 5,
      }),
    });
    const options = fc.record({
      eps: fc.constantFrom(0, 1e-8, 1),
      betas: fc.constantFrom([0.9, 0.999] as const, [0, 0.1] as const, [0.5, 0.3] as const),
      normScope: fc.constantFrom('tensor' as const, 'global' as const),
      weightDecay: fc.constantFrom(0, 0.3),
      lr: fc.constantFrom(0.1, 1e-9, 1e4),
    });
    fc.assert(
      fc.property(fc.array(tensor, { minLength: 1, maxLength: 4 }), options, (tensors, drawn) => {
        // A decay by more than 2/lr is refused.
        const given = { ...drawn, weightDecay: Math.min(drawn.weightDecay, 1 / drawn.lr) };
        const outcome = (runtime: Runtime) => {
          const params = Object.fromEntries(
            tensors.map(({ values }, i) => [`p${i}`, Float32Array.from(values)]),
          );
          const optimizer = new AdaL(runtime, params, { ...given, onNonFinite: 'skip' });
          const results = [0, 1, 2, 3, 4].map((t) => {
            for (const [i, { grads, values }] of tensors.entries()) {
              const row = grads[t];
              optimizer.grads[`p${i}`].set(values.map((_, j) => row[j % row.length]));
            }
            const result = optimizer.step();
            return { ...result, state: snapshot(optimizer) };
          });
          optimizer.dispose();
          return results;
        };
        const expected = outcome(reference);
        for (const { name, runtime } of runtimes) expect(outcome(runtime), name).toEqual(expected);
      }),
      { numRuns: 120 },
    );
  });
});

describe.each([oracle, ...CASES])('stepAsync on $name', (backend) => {
  it('gives the bits and the result of step', async () => {
    await withRuntime(backend, async (runtime) => {
      for (const [params, options] of [
        [GROUPS, {}],
        [{ w: values(400_000, 1) }, { weightDecay: 0.1 }],
        [{ w: values(3, 1) }, {}],
      ] as [ParamsInit, AdaLOptions][]) {
        const [sync, async] = [
          new AdaL(runtime, params, options),
          new AdaL(runtime, params, options),
        ];
        for (let t = 1; t <= 4; t++) {
          for (const optimizer of [sync, async]) fillRough(optimizer, t);
          expect(await async.stepAsync()).toEqual(sync.step());
        }
        expect(snapshot(async)).toEqual(snapshot(sync));
        sync.dispose();
        async.dispose();
      }
    });
  });
});
