/**
 * Clipping by norm and by value, and AdaL's spike guard: what they do to a step, and that all
 * backends do the same.
 */
import { describe, expect, it } from 'vitest';
import {
  AdaL,
  type CommonOptions,
  createOptimizer,
  type Optimizer,
  type OptimizerName,
  optimizerNames,
  SGD,
} from '../../src/index';
import { Prng } from '../../src/math/prng';
import type { Runtime } from '../../src/runtime/runtime';
import { bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { fillRough } from '../support/gradients';
import { snapshot } from '../support/snapshot';

const SHAPES = { a: { shape: [1] }, b: { shape: [37] }, c: { shape: [3 * 8192 + 5] } };

const OPTIONS: [string, CommonOptions][] = [
  ['L2 over all', { clipGradNorm: 1.5 }],
  ['L1 of each', { clipGradNorm: { max: 2, norm: 'l1', scope: 'tensor' } }],
  ['the largest over all', { clipGradNorm: { max: 0.25, norm: 'max' } }],
  ['value', { clipGradValue: 0.3 }],
  ['value, then L2 of each', { clipGradValue: 0.3, clipGradNorm: { max: 1, scope: 'tensor' } }],
];

const CASES = optimizerNames().flatMap((name) =>
  OPTIONS.map(([what, options]) => ({ name, what, options })),
);

async function train(runtime: Runtime, name: OptimizerName, options: object): Promise<Optimizer> {
  const optimizer = await createOptimizer(name, SHAPES, { runtime, ...options });
  for (let t = 1; t <= 5; t++) {
    fillRough(optimizer, t, t === 4 ? 100 : 1);
    optimizer.step();
  }
  return optimizer;
}

it.each(CASES)('$name, $what: the same bits on every backend', async ({ name, options }) => {
  const run = (backend: typeof simd) =>
    withRuntime(backend, async (runtime) => snapshot(await train(runtime, name, options)));
  const reference = await run(oracle);
  for (const backend of [simd, THREAD_CASES[2]])
    expect(await run(backend), backend.name).toEqual(reference);
});

describe('the norm', () => {
  const gradients = { u: new Float32Array([3, -4, 0]), w: new Float32Array([12, 0]) };
  const initial = { u: new Float32Array(3), w: new Float32Array(2) };
  // lr = 1 and no momentum: the parameters become minus the gradient as it counts.
  const EXPECTED: [CommonOptions['clipGradNorm'], number, number][] = [
    [6.5, 0.5, 0.5],
    [{ max: 6.5, scope: 'tensor' }, 1, 6.5 / 12],
    [{ max: 2, norm: 'max' }, 1 / 6, 1 / 6],
    [{ max: 2, norm: 'max', scope: 'tensor' }, 0.5, 1 / 6],
    [{ max: 9.5, norm: 'l1' }, 0.5, 0.5],
    [{ max: 3.5, norm: 'l1', scope: 'tensor' }, 0.5, 3.5 / 12],
    [13, 1, 1],
  ];

  it.each(EXPECTED)('%j', async (clipGradNorm, u, w) => {
    await withRuntime(simd, (runtime) => {
      const optimizer = new SGD(runtime, initial, { lr: 1, clipGradNorm });
      const result = optimizer.step(gradients);
      expect(result.gradNorm).toBe(19);
      for (const [name, factor] of Object.entries({ u, w }) as ['u' | 'w', number][]) {
        const moved = Float32Array.from(
          gradients[name],
          (g) => -Math.fround(Math.fround(factor) * g),
        );
        for (const [i, value] of optimizer.params[name].entries())
          expect(value).toBeCloseTo(moved[i], 6);
      }
      expect([...optimizer.grads.u]).toEqual([3, -4, 0]);
    });
  });

  it('a gradient within the bound has the bits of no clipping', async () => {
    await withRuntime(simd, async (runtime) => {
      for (const name of optimizerNames()) {
        const [free, bounded] = [
          await train(runtime, name, {}),
          await train(runtime, name, { clipGradNorm: 1e30, clipGradValue: 1e30 }),
        ];
        expect(snapshot(bounded)).toEqual(snapshot(free));
      }
    });
  });

  it('AdaL clipped by norm is AdaL with shorter gradients, and no bound is too small', async () => {
    await withRuntime(simd, (runtime) => {
      const options = { lr: 1, decay: 'none', eps: 0 } as const;
      const clipped = new AdaL(runtime, initial, { ...options, clipGradNorm: 13 * 2 ** -100 });
      const short = new AdaL(runtime, initial, options);
      const shorter = Object.fromEntries(
        Object.entries(gradients).map(([name, g]) => [name, g.map((x) => x * 2 ** -100)]),
      );
      for (let t = 0; t < 5; t++) {
        clipped.step(gradients);
        short.step(shorter);
      }
      for (const name of ['u', 'w'] as const)
        expect(bitsOf(clipped.params[name])).toEqual(bitsOf(short.params[name]));
    });
  });
});

it('a bound on values does not hide what is not finite', async () => {
  await withRuntime(simd, (runtime) => {
    const optimizer = new SGD(
      runtime,
      { w: new Float32Array([1, 2]) },
      { clipGradValue: 1, onNonFinite: 'skip' },
    );
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      expect(optimizer.step({ w: new Float32Array([0, bad]) })).toMatchObject({
        skipped: true,
        nonFinite: 1,
      });
    }
    expect([...optimizer.params.w]).toEqual([1, 2]);
  });
});

describe('the spike guard', () => {
  /** The same rule in float64: what S counts as, and the running mean after it. */
  function guarded(ratio: number, norms: readonly number[]): { S: number[]; mean: number } {
    let mean = 0;
    const S = norms.map((norm) => {
      if (mean === 0) {
        mean = norm;
        return norm;
      }
      const bounded = Math.min(norm, ratio * mean);
      mean = 0.9 * mean + 0.1 * bounded;
      return bounded;
    });
    return { S, mean };
  }

  it.each(['tensor', 'global'] as const)(
    'scope %s: gradients count as no longer than ratio times their mean',
    async (normScope) => {
      await withRuntime(simd, (runtime) => {
        const norms = [1, 1.5, 100, 0.5, 3, 1e6, 0, 2];
        const options = { lr: 1, decay: 'none', eps: 0, normScope } as const;
        const guard = new AdaL(
          runtime,
          { w: new Float32Array(1) },
          { ...options, clipNormRatio: 2 },
        );
        const plain = new AdaL(runtime, { w: new Float32Array(1) }, options);
        const { S, mean } = guarded(2, norms);
        for (const [t, norm] of norms.entries()) {
          guard.step({ w: new Float32Array([norm]) });
          plain.step({ w: new Float32Array([S[t]]) });
          expect(guard.params.w[0]).toBeCloseTo(plain.params.w[0], 5);
        }
        expect(guard.stateDict().state.w.normMean).toBeCloseTo(mean, 9);
      });
    },
  );

  it('resumes bit for bit, is equal on every backend, and ignores skipped steps', async () => {
    const run = (backend: typeof simd, interrupted: boolean) =>
      withRuntime(backend, (runtime) => {
        const options = { clipNormRatio: 1.5, onNonFinite: 'skip' } as const;
        let optimizer = new AdaL(runtime, SHAPES, options);
        const prng = new Prng(5);
        for (let t = 1; t <= 12; t++) {
          fillRough(optimizer, t, 10 ** (4 * prng.uniform()));
          optimizer.step();
          if (!interrupted) continue;
          optimizer.grads.a[0] = Number.NaN;
          optimizer.step();
          const dict = optimizer.stateDict();
          optimizer = new AdaL(runtime, SHAPES, options);
          optimizer.loadStateDict(dict);
        }
        return snapshot(optimizer);
      });
    const reference = await run(oracle, false);
    for (const backend of [simd, THREAD_CASES[3]])
      expect(await run(backend, true), backend.name).toEqual(reference);
  });
});

describe('refuses', () => {
  const WRONG: [string, object, string][] = [
    ['a bound of 0', { clipGradNorm: 0 }, 'clipGradNorm'],
    ['NaN', { clipGradNorm: Number.NaN }, 'clipGradNorm'],
    ['an unknown norm', { clipGradNorm: { max: 1, norm: 'l3' } }, 'clipGradNorm.norm'],
    ['an unknown scope', { clipGradNorm: { max: 1, scope: 'group' } }, 'clipGradNorm.scope'],
    ['no bound', { clipGradNorm: {} }, 'clipGradNorm.max'],
    ['an unknown option', { clipGradNorm: { max: 1, p: 2 } }, 'clipGradNorm.p'],
    ['a negative value', { clipGradValue: -1 }, 'clipGradValue'],
    ['a text', { clipGradValue: '1' }, 'clipGradValue'],
    ['a ratio below 1', { clipNormRatio: 0.5 }, 'clipNormRatio'],
  ];
  it.each(WRONG)('%s', async (_, options, argument) => {
    await withRuntime(simd, (runtime) => {
      expect(() => new AdaL(runtime, SHAPES, options)).toThrow(`"${argument}"`);
    });
  });
});
