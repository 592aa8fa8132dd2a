/**
 * ε = 0, tiny gradients, great rates, decaying moments: no accepted step writes an absurd weight,
 * on any backend.
 */
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  createOptimizer,
  NonFiniteGradientError,
  type Optimizer,
  type OptimizerName,
  optimizerNames,
  type Runtime,
} from '../../src/index';
import { BACKENDS, bitsOf, oracle, withRuntime } from '../support/backends';
import { caught, failure } from '../support/errors';

type Options = Record<string, unknown>;

/** Everyone that divides by a root or a norm and takes eps 0, in all of its forms. */
const FORMS: readonly (readonly [label: string, name: OptimizerName, options: Options])[] = [
  ['Adam', 'adam', {}],
  ['AdamW', 'adamw', {}],
  ['AMSGrad', 'amsgrad', {}],
  ['NAdam', 'nadam', {}],
  ['RAdam', 'radam', {}],
  ['AdaBelief', 'adabelief', {}],
  ['AdaBound', 'adabound', {}],
  ['RMSProp', 'rmsprop', {}],
  ['RMSProp with momentum', 'rmsprop', { momentum: 0.9 }],
  ['RMSProp, centred', 'rmsprop', { centered: true }],
  ['RMSProp, centred, with momentum', 'rmsprop', { centered: true, momentum: 0.9 }],
  ['RMSProp, ε inside', 'rmsprop', { epsInSqrt: true }],
  [
    'RMSProp, ε inside, centred, with momentum',
    'rmsprop',
    { epsInSqrt: true, centered: true, momentum: 0.9 },
  ],
  ['Adagrad', 'adagrad', {}],
  ['AdaMax', 'adamax', {}],
  ['Schedule-Free', 'schedule-free-adamw', {}],
  ['AdaL', 'adal', {}],
];

async function create(
  runtime: Runtime,
  name: OptimizerName,
  w: readonly number[],
  options: Options,
): Promise<Optimizer> {
  return createOptimizer(name, { w: new Float32Array(w) }, { runtime, ...options } as never);
}

/** Steps with these gradients on every backend; the oracle's weights, once all agree. */
async function trained(
  name: OptimizerName,
  w: readonly number[],
  options: Options,
  gradients: readonly (readonly number[])[],
): Promise<Float32Array[]> {
  const run = (runtime: Runtime) =>
    create(runtime, name, w, options).then((optimizer) =>
      gradients.map((g) => {
        optimizer.step({ w: new Float32Array(g) });
        return optimizer.params.w.slice();
      }),
    );
  const expected = await withRuntime(oracle, run);
  for (const backend of BACKENDS) {
    const actual = await withRuntime(backend, run);
    expect(actual.map(bitsOf), backend.name).toEqual(expected.map(bitsOf));
  }
  return expected;
}

describe.each(FORMS)('%s with eps 0', (_, name, options) => {
  it('does not move by a gradient whose square vanishes, nor by 0', async () => {
    const [weights] = await trained(
      name,
      [1, 1, 1],
      { ...options, eps: 0, lr: 1e-3, weightDecay: 0 },
      [[1, 1e-30, 0]],
    );
    expect(weights[0]).not.toBe(1);
    expect(Math.abs(weights[1] - 1)).toBeLessThanOrEqual(
      // AdaL scales gradients first, and AdaMax does not square them.
      name === 'adal' || name === 'adamax' ? 0.0011 : name === 'radam' ? 1e-30 : 0,
    );
    expect(weights[2]).toBe(1);
  });

  it.each([0.5, 8, 1e5])('leaves finite weights where gradients are 0, lr %s', async (lr) => {
    const all = await trained(
      name,
      [1, 2],
      { ...options, eps: 0, lr, weightDecay: 0 },
      Array(20).fill([0, 1]),
    );
    for (const weights of all) expect(weights.every(Number.isFinite)).toBe(true);
    expect(all.at(-1)![0]).toBe(1);
  });

  it('stays finite while gradients of all sizes come and go', async () => {
    const sizes = [1e-30, 1e-20, 0, 1e10, 1e-10, 0, 0, 1e-38, 3, 1e-22];
    const gradients = Array.from({ length: 60 }, (_, t) =>
      [0, 1, 2, 3].map((i) => sizes[(3 * t + i * i + (t >> 3)) % sizes.length]!),
    );
    const all = await trained(name, [1, 2, 3, 4], { ...options, eps: 0, lr: 0.01 }, gradients);
    for (const weights of all) expect(weights.every((w) => Math.abs(w) < 1e30)).toBe(true);
  });
});

describe('moments that are flushed', () => {
  it.each(
    FORMS.filter(([label]) => /^(Adam|AdamW|AMSGrad|RMSProp|NAdam|AdaMax|AdaL)$/.test(label)),
  )('are not those of a constant tiny gradient: %s', async (_, name, options) => {
    const settings = {
      ...options,
      eps: 0,
      lr: 0.01,
      weightDecay: 0,
      ...(name === 'adal' ? { decay: 'none' } : {}),
    };
    for (const g of [5e-18, 1e-18, 1e-19]) {
      const all = await trained(name, [0], settings, Array(200).fill([g]));
      const moves = all.map(([w], t) => (t === 0 ? 0 : all[t - 1]![0]!) - w!);
      // RMSProp has no bias correction, NAdam's momentum grows: both go towards lr from one side.
      const late = moves.slice(name === 'rmsprop' || name === 'nadam' ? 150 : 0);
      // 1e-19: v is subnormal, and has few bits.
      const tolerance = g < 5e-19 || name === 'nadam' || name === 'rmsprop' ? 0.004 : 1e-5;
      for (const move of late)
        expect(Math.abs(move - 0.01), `gradient ${g}`).toBeLessThan(tolerance);
      for (let t = 151; t < 200; t++)
        expect(Math.abs(moves[t]! - moves[t - 1]!), `steps even, ${g}`).toBeLessThan(1e-4);
    }
  });

  it.each(['bf16', '8bit'])('%s: the same, within what rounding does', async (state) => {
    const settings = { eps: 0, lr: 0.01, state, min8bitSize: 0 };
    const all = await trained('adam', [0], settings, Array(100).fill([3e-18]));
    const moves = all.map(([w], t) => (t === 0 ? 0 : all[t - 1]![0]!) - w!);
    for (const move of moves)
      expect(Math.abs(move - 0.01)).toBeLessThan(state === 'bf16' ? 5e-4 : 5e-3);
  });

  // Adagrad never forgets.
  const forgetting = FORMS.filter(([, name]) => name !== 'adagrad');
  it.each(forgetting)('go where gradients stop: %s', async (_, name, options) => {
    await withRuntime(oracle, async (runtime) => {
      const factors =
        name === 'rmsprop' ? { alpha: 0.5 } : { betas: name === 'adal' ? [0.5, 0.6] : [0.5, 0.5] };
      const optimizer = await create(runtime, name, [1, 1], {
        ...options,
        ...factors,
        lr: 1e-3,
        onNonFinite: 'skip',
      });
      optimizer.step({ w: new Float32Array([1, 1]) });
      for (let t = 0; t < 1600; t++) optimizer.step({ w: new Float32Array([0, 1]) });
      const { arrays } = optimizer.stateDict().state.w!;
      const fading = Object.entries(arrays).filter(([key]) => !/^(z|y|max_exp_avg_sq)$/.test(key));
      expect(fading.length).toBeGreaterThan(0);
      // AdaBelief adds ε in every step, so its variance ends at ε/(1 - β2); AdaMax's norm at ε.
      const kept: Record<string, number> = { exp_avg_var: 2e-16, exp_inf: 1e-8 };
      for (const [key, array] of fading) {
        const [last] = array as Float32Array;
        if (key in kept) expect(Math.abs(last! / kept[key]! - 1), key).toBeLessThan(2 ** -23);
        else expect(last, key).toBe(0);
      }
    });
  });
});

describe('hyperparameters are checked as the float32 constants that they become', () => {
  it.each([
    ['sgd', { lr: 1e39 }],
    ['adamw', { lr: 0.1, weightDecay: 1e300 }],
    ['adamw', { lr: 2 ** 40, weightDecay: 2 ** 30 }],
    ['lion', { lr: 2 ** 64 }],
    ['adal', { lr: 1e39 }],
    ['adal', { eps: 1e300 }],
    ['adam', { eps: 1e-46 }],
    ['adam', { eps: 1e-40 }],
    ['adam', { eps: 1e39 }],
    ['adam', { betas: [1 - 1e-9, 0.999] }],
    ['adam', { betas: [0.9, 1 - 2 ** -25] }],
    ['adam', { l2: 1e39 }],
    ['rmsprop', { alpha: 1 - 1e-9 }],
    ['sgd', { momentum: 1 - 1e-12 }],
    ['adagrad', { initialAccumulator: 1e39 }],
    ['adabound', { gamma: 1e-300 }],
    ['adabound', { finalLr: 1e39 }],
    ['nadam', { momentumDecay: 1e300 }],
  ] as [OptimizerName, Options][])('%s refuses %o', async (name, options) => {
    await withRuntime(oracle, async (runtime) => {
      const used = runtime.info.usedBytes;
      const error = await failure(() => create(runtime, name, [1], options));
      expect(error).toBeInstanceOf(ArgumentError);
      const argument = (error as ArgumentError).argument.replace(/[[( ].*/, '');
      expect(Object.keys(options)).toContain(argument);
      expect(runtime.info.usedBytes).toBe(used);
    });
  });

  it('in groups between steps too', async () => {
    await withRuntime(oracle, async (runtime) => {
      const optimizer = await create(runtime, 'adamw', [1], {});
      const [group] = optimizer.paramGroups as unknown as [Options];
      for (const [key, value] of [
        ['lr', 1e39],
        ['weightDecay', 1e30],
        ['eps', 1e-44],
      ] as const) {
        const before = group[key];
        expect(() => (group[key] = value)).toThrow(`"${key}" expected`);
        expect(group[key]).toBe(before);
      }
    });
  });

  it.each(optimizerNames())(
    '%s: what a learning rate returns is refused before anything changes',
    async (name) => {
      await withRuntime(oracle, async (runtime) => {
        let next: unknown = 0.01;
        const optimizer = await createOptimizer(
          name,
          [
            { params: { a: new Float32Array([1]) } },
            { params: { b: new Float32Array([2]) }, lr: () => next as number },
          ],
          { runtime, weightDecay: 1, ...(name === 'muon' && { useMuon: false }) } as never,
        );
        optimizer.step({ a: new Float32Array([1]), b: new Float32Array([1]) });
        const before = JSON.stringify(optimizer.stateDict());
        for (next of [Number.NaN, Infinity, -1, 1e39, '1', undefined, 2 ** 64]) {
          const error = caught(() =>
            optimizer.step({ a: new Float32Array([5]), b: new Float32Array([6]) }),
          );
          expect(error).toBeInstanceOf(ArgumentError);
          expect((error as Error).message).toContain('lr(2)');
          expect([optimizer.grads.a[0], optimizer.grads.b[0]], 'gradients').toEqual([1, 1]);
          expect(JSON.stringify(optimizer.stateDict())).toBe(before);
        }
      });
    },
  );

  it.each(FORMS)(
    '%s: the greatest rates and smallest ε leave finite weights or refuse',
    async (_, name, options) => {
      let accepted = 0;
      for (const lr of [2 ** 20, 2 ** 50, 2 ** 63]) {
        for (const eps of [0, 2 ** -126, 1e-8]) {
          for (const g of [0, 1e-38, 1e-12, 1, 2 ** 62]) {
            await withRuntime(oracle, async (runtime) => {
              const optimizer = await create(runtime, name, [1, 1], {
                ...options,
                lr,
                eps,
                weightDecay: 0,
                onNonFinite: 'skip',
              });
              const error = caught(() => {
                for (let t = 0; t < 3; t++) optimizer.step({ w: new Float32Array([g, 0]) });
              });
              if (error) expect(error).toBeInstanceOf(ArgumentError);
              else accepted++;
              expect(
                optimizer.params.w.every(Number.isFinite),
                `lr ${lr}, eps ${eps}, g ${g}`,
              ).toBe(true);
            });
          }
        }
      }
      expect(accepted).toBeGreaterThan(0);
    },
  );
});

describe('gradients that are too large', () => {
  it.each(optimizerNames().filter((name) => !['sgd', 'lion', 'adal', 'adamax'].includes(name)))(
    '%s names the L1 norm of 2^63',
    async (name) => {
      await withRuntime(oracle, async (runtime) => {
        const optimizer = await create(runtime, name, [1, 2], {});
        const error = caught(() => optimizer.step({ w: new Float32Array([2 ** 62, 2 ** 62]) }));
        expect(error).toBeInstanceOf(NonFiniteGradientError);
        expect(error).toMatchObject({ reason: 'overflow', parameter: 'w' });
        expect((error as Error).message).toContain(
          'the L1 norm of the gradients of parameter "w" (group 0) is 2^63 or more',
        );
      });
    },
  );

  it('of SGD, Lion and AdaMax are those that could move weights out of float32', async () => {
    for (const [name, options, fits, not] of [
      ['sgd', { lr: 1 }, 2 ** 119, 2 ** 120],
      ['sgd', { lr: 2 ** 20 }, 2 ** 99, 2 ** 100],
      ['sgd', { lr: 1e-3 }, 3e38, Infinity],
      ['sgd', { lr: 0.5, momentum: 0.5 }, 2 ** 118, 2 ** 119],
      ['lion', {}, 2 ** 126, 2 ** 127],
      ['adamax', {}, 2 ** 119, 2 ** 120],
      ['adamax', { lr: 2 ** 10, betas: [0.5, 0.9] }, 2 ** 108, 2 ** 109],
      ['adamax', { betas: [0.9, 0.8], eps: 2 ** -20 }, 2 ** 99, 2 ** 100],
    ] as [OptimizerName, Options, number, number][]) {
      const run = (g: number) =>
        trained(name, [1], { ...options, onNonFinite: 'skip' }, Array(3).fill([g])).then(
          (all) => all.at(-1)![0]!,
        );
      const moved = await run(fits);
      expect(moved).not.toBe(1);
      expect(Number.isFinite(moved)).toBe(true);
      expect(await run(not), `${name}, ${not}`).toBe(1);
    }
  });

  it('of Adagrad end at the largest float32: its sum does not become infinite', async () => {
    const all = await trained('adagrad', [0], { lr: 1 }, Array(20).fill([2 ** 62.9]));
    for (let t = 1; t < 20; t++) expect(all[t]![0]).toBeLessThan(all[t - 1]![0]!);
  });
});
