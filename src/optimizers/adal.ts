/**
 * AdaL: gradients amplified by their L1 norm, then averaged as in Adam. Its kernel is
 * assembly/optimizers/adal.ts.
 */

import { AdaLKernel } from '../../build/optimizer-kernels';
import { ArgumentError } from '../errors';
import { nextExponent } from '../math/adal-exponent';
import { cosine } from '../schedules';
import type { LearningRate } from '../types';
import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  describe,
  fail,
  isRate,
} from '../validate';
import type { Algorithm, CommonOptions, OptimizerDeclaration, ScalarField } from './declaration';
import {
  averagingFactors,
  type Betas,
  COMPACT_STATE_FIELDS,
  type CompactStateOptions,
  checkQuotient,
  learningRate,
  nonNegative,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import { POWERS } from './powers';

/** Hyperparameters of `AdaL`. */
export interface AdaLHyperparameters extends CompactStateOptions {
  /**
   * Learning rate η: a number in [0, 2^64), or a function of the step (1-based). With `decay:
   * 'inverse-sqrt'` it is further divided by √t.
   *
   * The default is the rate of the benchmark's search that is never far from the best: over its
   * seven ranked workloads it has the smallest greatest regret, (median validation loss -
   * best)/(initial loss - best) = .13 (docs/optimizers.md). The best rates on each were 1, .3, .3,
   * .03, .03, .003 and .03, so a search of your own pays.
   * @default 3.162e-2
   */
  lr: LearningRate;
  /** β1 ≥ 0 and β2 in (0, 1 - 1e-4], with β1² < β2. @default [0.9, 0.999] */
  readonly betas: Betas;
  /**
   * ε, added to v̂^(-1/2) (not to √v̂ as in Adam), so its unit is 1/gradient². In [0, 2^64).
   * @default 1e-8
   */
  eps: number;
  /** Decoupled weight decay λ: θ ← θ·(1 - a·λ) with a the step size. In [0, 2^64). @default 0 */
  weightDecay: number;
}

/** Options of `AdaL`: its hyperparameters, options of its own, and those of every optimizer. */
export interface AdaLOptions
  extends CommonOptions<AdaLHyperparameters>,
    Partial<AdaLHyperparameters> {
  /**
   * 'inverse-sqrt' divides the learning rate by √t, as the restated rule does; 'none' leaves it.
   * @default 'inverse-sqrt'
   */
  decay?: 'inverse-sqrt' | 'none';
  /**
   * Each tensor is scaled by its own ‖g‖₁ ('tensor'), or all by the norm over all of them
   * ('global').
   * @default 'tensor'
   */
  normScope?: 'tensor' | 'global';
  /**
   * The spike guard: ‖g‖₁ counts as at most this times its running mean (A ← .9·A + .1·min(‖g‖₁,
   * ratio·A)), and g is shortened with it. A spike otherwise enters v as its fourth power. A number
   * in [1, ∞); 2 worked well in our measurements.
   * @default none
   */
  clipNormRatio?: number;
}

const OWN = AdaLKernel.scalars;
const VALUES = AdaLKernel.values;
const MAX_BETA2 = 1 - 1e-4;
/** The root of the kernel's floor under v'. */
const SMALLEST_DIVISOR = 2 ** -63;
/** Beyond what V, an f64 that is at most (2^128·elements)^4, can make of the exponent. */
const MAX_EXPONENT = 600;

/** The numbers that a tensor keeps between steps, in the order of the kernel's AdaLScalars. */
const SCALARS: Readonly<Record<keyof typeof OWN, ScalarField>> = {
  exponent: {
    initial: 0,
    check: (path, value) => checkInteger(path, value, -MAX_EXPONENT, MAX_EXPONENT),
  },
  V: {
    initial: 0,
    check: (path, value) =>
      checkNumber(path, value, `[0, ${Number.MAX_VALUE}]`, (x) => x >= 0 && x <= Number.MAX_VALUE),
  },
  ...POWERS,
  normMean: {
    initial: 0,
    check: (path, value) => checkNumber(path, value, '[0, ∞)', (x) => x >= 0),
  },
};

const adal: OptimizerDeclaration<AdaLHyperparameters, AdaLOptions> = {
  name: 'adal',
  fields: {
    lr: learningRate(3.162e-2),
    betas: averagingFactors([0.9, 0.999]),
    eps: nonNegative(1e-8),
    weightDecay: nonNegative(0),
    ...COMPACT_STATE_FIELDS,
  },
  options: ['decay', 'normScope', 'clipNormRatio'],
  algorithm({ decay, normScope, clipNormRatio }): Algorithm<AdaLHyperparameters> {
    checkChoice('decay', (decay ??= 'inverse-sqrt'), ['inverse-sqrt', 'none']);
    checkChoice('normScope', (normScope ??= 'tensor'), ['tensor', 'global']);
    if (clipNormRatio !== undefined)
      checkNumber('clipNormRatio', clipNormRatio, '[1, ∞)', (x) => x >= 1);
    const globalNorm = normScope === 'global';
    return {
      kernels: [AdaLKernel],
      stateNames: ['m', 'v'],
      squares: ['v'],
      momentRatio: { first: 'm', second: 'v', most: 2 ** 50, least: SMALLEST_DIVISOR },
      scalars: SCALARS,
      checkScalars,
      stateScale: 'exponent',
      options: { decay, normScope, clipNormRatio: clipNormRatio ?? null },
      check({ betas: [beta1, beta2] }, where) {
        const range = '(betas[0]², 1 - 1e-4]';
        const fits = (x: number) => x > beta1 * beta1 && x <= MAX_BETA2;
        checkNumber(`betas[1]${where}`, beta2, range, fits);
      },
      checkGroups: globalNorm ? checkSameBetas : undefined,
      /** Any gradient will do: what it may become is bounded in the kernels, by ε. */
      limit(scalars, { betas: [beta1] }) {
        checkQuotient(scalars.lr, scalars.lr / (1 - beta1), SMALLEST_DIVISOR);
        scalars.normLimit = Infinity;
      },
      writeValues(own, { lr, optimizerStep }, { betas, eps, weightDecay }) {
        // One division for both decays: as two branches V8 boxes the result, an allocation a step.
        own[VALUES.stepSize] = lr / (decay === 'inverse-sqrt' ? Math.sqrt(optimizerStep) : 1);
        own[VALUES.beta1] = betas[0];
        own[VALUES.beta2] = betas[1];
        own[VALUES.eps] = eps;
        own[VALUES.weightDecay] = weightDecay;
        own[VALUES.normRatio] = clipNormRatio ?? 0;
        own[VALUES.globalNorm] = globalNorm ? 1 : 0;
      },
    };
  },
};

/** The exponent follows from V. */
function checkScalars(path: string, { V, exponent }: Readonly<Record<string, number>>): void {
  const expected = V === 0 ? exponent : nextExponent(V, 0);
  if (exponent !== expected) fail(`${path}.exponent`, `${expected}, as V = ${V} has it`, exponent);
}

function checkSameBetas(groups: readonly Readonly<AdaLHyperparameters>[]): void {
  const [first] = groups;
  for (const [index, { betas }] of groups.entries()) {
    if (betas[0] === first.betas[0] && betas[1] === first.betas[1]) continue;
    const expected = `${describe([...first.betas])} as in group 0, which normScope 'global' needs`;
    throw new ArgumentError(`betas (group ${index})`, expected, describe([...betas]));
  }
}

/**
 * AdaL, the rule as restated (Zhang et al. 2021, arXiv 2107.01525), with reference defaults of our
 * own choice:
 *
 *     ĝ = ‖g‖₁·g;  m ← β1·m + (1-β1)·ĝ;  v ← β2·v + (1-β2)·ĝ²
 *     θ ← θ - η/√t·(v̂^(-1/2) + ε)·m̂
 *
 * State is kept scaled by powers of two, so that ĝ² (a fourth power of the gradient's scale)
 * neither overflows nor vanishes: with ε = 0 steps are sound for |g| from 1e-33 to 1e29. A
 * coordinate whose gradients were all zero does not move.
 *
 * @example
 * const runtime = await createRuntime();
 * const optimizer = new AdaL(runtime, { w: new Float32Array([1, 2, 3]) });
 * optimizer.grads.w.set([0.1, 0, -0.2]);
 * optimizer.step();
 * console.log(optimizer.params.w);
 */
export class AdaL<Names extends string = string> extends Optimizer<
  AdaLHyperparameters,
  Names,
  AdaLOptions
> {
  /** @internal */
  static override readonly declaration = adal;
}

/**
 * Returns options that train networks better than the restated defaults did in our measurements:
 * β2 = 0.95, ε = 0, no built-in decay, a cosine from `lr` to 0. They apply only if you pass them.
 *
 * @param options.totalSteps steps of the whole run, an integer ≥ 1
 * @param options.lr learning rate of the first step. Default 1e-2
 * @example
 * const optimizer = await createOptimizer('adal', params, practical({ totalSteps: 10_000 }));
 */
export function practical(options: { totalSteps: number; lr?: number }): AdaLOptions {
  checkOptions('options', options ?? {}, ['totalSteps', 'lr']);
  const { totalSteps, lr = 1e-2 } = options ?? {};
  if (totalSteps === undefined)
    fail(
      'totalSteps',
      'the steps of the whole run, as in practical({ totalSteps: 1000 })',
      totalSteps,
    );
  checkInteger('totalSteps', totalSteps, 1, Number.MAX_SAFE_INTEGER);
  checkNumber('lr', lr, '[0, 2^64)', isRate);
  return { lr: cosine({ lr, totalSteps }), betas: [0.9, 0.95], eps: 0, decay: 'none' };
}
