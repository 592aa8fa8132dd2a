/** Schedules that set the momentum: `oneCycle` with `cycleMomentum`. */
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  createOptimizer,
  type Optimizer,
  type OptimizerName,
  optimizerNames,
  type Runtime,
} from '../../src/index';
import { constant, oneCycle, type Schedule } from '../../src/schedules';
import { BACKENDS, bitsOf, oracle, simd, withRuntime } from '../support/backends';
import { gradientsAt, initialParams } from '../support/rules';
import { snapshot } from '../support/snapshot';

const INIT = [-1.171875, -1.140625, 0.671875];
const GRADIENTS = [
  [-2.296875, -0.140625, -2.25],
  [1.09375, 0.203125, 1.359375],
  [-0.5, 0.390625, -0.28125],
  [-0.734375, 0.140625, -1.25],
  [-0.359375, 0.703125, 0.0625],
  [-0.40625, 2.1875, 0.0625],
  [-0.59375, 0.15625, -0.515625],
  [-0.390625, -0.34375, 2.03125],
  [0.015625, 0.171875, 0.671875],
  [2.015625, -0.21875, -0.625],
];

const cycling = () => oneCycle({ maxLr: 0.1, totalSteps: 10, cycleMomentum: true });

/** A schedule with a constant rate and momentum. */
function steady(lr: number, momentum: number): Schedule {
  return Object.assign((_: number) => lr, { momentum: (_: number) => momentum });
}

async function create(
  runtime: Runtime,
  name: OptimizerName,
  options: object,
): Promise<Optimizer<never>> {
  return createOptimizer(name, initialParams(), { runtime, ...options } as never) as never;
}

/** Optimizers that have a momentum, with the option that sets it. */
const CYCLED: readonly (readonly [OptimizerName, (momentum: number) => object])[] = [
  ['sgd', (momentum) => ({ momentum })],
  ['rmsprop', (momentum) => ({ momentum })],
  ['muon', (beta1) => ({ useMuon: false, betas: [beta1, 0.99] })],
  ...(
    [
      ...(['adam', 'adamw', 'adamax', 'amsgrad', 'nadam', 'radam'] as const),
      ...(['adabelief', 'adabound', 'lion'] as const),
    ] as const
  ).map((name) => [name, (beta1: number) => ({ betas: [beta1, 0.99] })] as const),
];

describe('a schedule that cycles the momentum', () => {
  it.each([
    [false, [-0.3427758147499092, -1.7120701207193858, 1.2660943054775595]],
    [true, [-0.2865572296261231, -1.9022822847083893, 1.2444693540255916]],
  ])("moves SGD as PyTorch's OneCycleLR does, nesterov %s", async (nesterov, expected) => {
    await withRuntime(oracle, async (runtime) => {
      const options = { momentum: 0.9, nesterov, lr: cycling(), runtime };
      const optimizer = await createOptimizer('sgd', { w: new Float32Array(INIT) }, options);
      for (const g of GRADIENTS) optimizer.step({ w: new Float32Array(g) });
      for (const [i, want] of expected.entries())
        expect(Math.abs(optimizer.params.w[i]! - want)).toBeLessThan(2e-6);
    });
  });

  it('moves Adam as the rule does whose weights sum to 1', async () => {
    await withRuntime(oracle, async (runtime) => {
      const lr = cycling();
      const optimizer = await createOptimizer(
        'adam',
        { w: new Float32Array(INIT) },
        {
          lr,
          runtime,
        },
      );
      const theta = [...INIT];
      const m = [0, 0, 0];
      const v = [0, 0, 0];
      let product = 1;
      for (const [k, g] of GRADIENTS.entries()) {
        optimizer.step({ w: new Float32Array(g) });
        const beta1 = lr.momentum!(k + 1)!;
        product *= beta1;
        for (let i = 0; i < 3; i++) {
          m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
          v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
          const root = Math.sqrt(v[i]! / (1 - 0.999 ** (k + 1))) + 1e-8;
          theta[i]! -= (lr(k + 1) * m[i]!) / (1 - product) / root;
        }
      }
      for (let i = 0; i < 3; i++)
        expect(Math.abs(optimizer.params.w[i]! - theta[i]!)).toBeLessThan(2e-6);
    });
  });

  it.each(CYCLED)('%s: the same bits as the momentum as an option', async (name, option) => {
    await withRuntime(simd, async (runtime) => {
      const own = await create(runtime, name, { ...option(0.8), lr: 0.01 });
      const set = await create(runtime, name, { ...option(0.9), lr: steady(0.01, 0.8) });
      for (let t = 1; t <= 18; t++) {
        own.step(gradientsAt(t));
        set.step(gradientsAt(t));
      }
      const weights = (optimizer: Optimizer<never>) => Object.values(optimizer.params).map(bitsOf);
      expect(weights(set)).toEqual(weights(own));
    });
  });

  it.each(CYCLED)('%s: the same bits on every backend, and resumed', async (name, option) => {
    const run = (backend: (typeof BACKENDS)[number], pause: boolean) =>
      withRuntime(backend, async (runtime) => {
        let optimizer = await create(runtime, name, { ...option(0.9), lr: cycling() });
        for (let t = 1; t <= 12; t++) {
          optimizer.step(gradientsAt(t));
          if (!pause || t !== 6) continue;
          const dict = optimizer.stateDict();
          optimizer = await create(runtime, name, { ...option(0.9), lr: cycling() });
          optimizer.loadStateDict(dict);
        }
        return Object.values(optimizer.params).map(bitsOf);
      });
    const reference = await run(oracle, false);
    for (const backend of BACKENDS) expect(await run(backend, true)).toEqual(reference);
  });

  it('moves rows as it moves whole parameters', async () => {
    await withRuntime(simd, async (runtime) => {
      const options = { runtime, lr: cycling() };
      const data = new Float32Array([1, 2, 3, 4]);
      const dense = await createOptimizer('adam', { w: { shape: [2, 2], data } }, options);
      const init = { shape: [2, 2], data, sparse: true };
      const sparse = await createOptimizer('adam', { w: init }, options);
      for (let t = 1; t <= 10; t++) {
        const g = Float32Array.from([1, -2, 0.5, 3], (x) => x / t);
        dense.step({ w: g });
        sparse.stepRows('w', [0, 1], g);
      }
      expect(bitsOf(sparse.params.w)).toEqual(bitsOf(dense.params.w));
    });
  });

  it.each(optimizerNames().filter((name) => !CYCLED.some(([known]) => known === name)))(
    'is refused by %s, which has no momentum',
    async (name) => {
      await withRuntime(simd, async (runtime) => {
        await expect(create(runtime, name, { lr: cycling() })).rejects.toMatchObject({
          argument: 'lr',
          message: expect.stringContaining('cycleMomentum'),
        });
        const optimizer = await create(runtime, name, {});
        const [group] = optimizer.paramGroups as unknown as [{ lr: unknown }];
        expect(() => {
          group.lr = cycling();
        }).toThrow(ArgumentError);
      });
    },
  );

  it.each(['sgd', 'rmsprop'] as const)('is refused by %s without momentum', async (name) => {
    await withRuntime(simd, async (runtime) => {
      await expect(create(runtime, name, { lr: cycling() })).rejects.toThrow(/^"lr" expected/);
      expect((await create(runtime, name, { lr: constant(0.1) })).stepCount).toBe(0);
    });
  });

  it.each([1, -0.1, Number.NaN, '0.9', null])(
    'that returns the momentum %s is refused, and nothing changes',
    async (bad) => {
      await withRuntime(simd, async (runtime) => {
        const lr = Object.assign(() => 0.1, {
          momentum: (step: number) => (step === 2 ? bad : 0.9),
        });
        const optimizer = await create(runtime, 'adam', { lr });
        optimizer.step(gradientsAt(1));
        const before = snapshot(optimizer as never);
        expect(() => optimizer.step(gradientsAt(2))).toThrow(/^"lr.momentum\(2\)" expected/);
        expect(snapshot(optimizer as never)).toEqual(before);
      });
    },
  );
});
