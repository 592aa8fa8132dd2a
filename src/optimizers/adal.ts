/**
 * AdaL: gradients amplified by their L1 norm, then averaged as in Adam. The rule's arithmetic is in
 * assembly/optimizers/adal.ts.
 */

import { ArgumentError } from '../errors';
import {
  GROUP_EPS,
  GROUP_STEP_SIZE,
  GROUP_WEIGHT_DECAY,
  RULE_ADAL,
} from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { cosine } from '../schedules';
import type { LearningRate } from '../types';
import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  copyOptions,
  describe,
  fail,
  isRate,
} from '../validate';
import {
  averagingFactors,
  type Betas,
  COMPACT_STATE_FIELDS,
  type CompactStateOptions,
  checkQuotient,
  type Fields,
  learningRate,
  nonNegative,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars, StepTable } from './step-table';

/** What a group may set for itself. */
export interface AdaLHyperparameters extends CompactStateOptions {
  /**
   * Learning rate η: a number in [0, 2^64), or a function of the step (1-based). With `decay:
   * 'inverse-sqrt'` it is further divided by √t.
   *
   * The default is the one rate of the benchmark's search that is never far from the best: over its
   * seven ranked workloads it makes the greatest of (median validation loss - best)/(initial loss -
   * best) least, at .13 (`node bench/default-rate.js`). The rates that were best on each were 1,
   * .3, .3, .03, .03, .003 and .03, so a search of your own pays.
   * @default 3.162e-2
   */
  lr: LearningRate;
  /** β1 and β2, with β1² < β2 ≤ 1 - 1e-4, β1 in [0, 1 - 2^-25). @default [0.9, 0.999] */
  betas: Betas;
  /**
   * ε, added to v̂^(-1/2) (not to √v̂ as in Adam), so its unit is 1/gradient². In [0, 2^64).
   * @default 1e-8
   */
  eps: number;
  /** Decoupled weight decay λ: θ ← θ·(1 - a·λ) with a the step size. In [0, 2^64). @default 0 */
  weightDecay: number;
}

export interface AdaLOptions extends CommonOptions, Partial<AdaLHyperparameters> {
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
   * in [1, ∞); 2 served well. @default none
   */
  clipNormRatio?: number;
}

const FIELDS: Fields<AdaLHyperparameters> = {
  lr: learningRate(3.162e-2),
  betas: averagingFactors([0.9, 0.999]),
  eps: nonNegative(1e-8),
  weightDecay: nonNegative(0),
  ...COMPACT_STATE_FIELDS,
};
const OPTION_NAMES = [
  ...Object.keys(FIELDS),
  'decay',
  'normScope',
  'clipNormRatio',
  ...COMMON_OPTIONS,
];
const MAX_BETA2 = 1 - 1e-4;
/** The root of the kernel's floor under v'. */
const SMALLEST_DIVISOR = 2 ** -63;

/**
 * AdaL, the rule as restated (Zhang et al. 2021, arXiv 2107.01525), with reference defaults of our
 * own choice:
 *
 *     ĝ = ‖g‖₁·g;  m ← β1·m + (1-β1)·ĝ;  v ← β2·v + (1-β2)·ĝ²;  θ ← θ - η/√t·(v̂^(-1/2) + ε)·m̂
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
export class AdaL extends Optimizer<AdaLHyperparameters> {
  readonly #decay: 'inverse-sqrt' | 'none';
  readonly #normScope: 'tensor' | 'global';

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdaLHyperparameters>,
    options: AdaLOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    const decay = checkChoice('decay', own.decay ?? 'inverse-sqrt', ['inverse-sqrt', 'none']);
    const normScope = checkChoice('normScope', own.normScope ?? 'tensor', ['tensor', 'global']);
    const { clipNormRatio } = own;
    const normRatio =
      clipNormRatio === undefined
        ? 0
        : checkNumber('clipNormRatio', clipNormRatio, '[1, ∞)', (x) => x >= 1);
    const fixed = { decay, normScope, clipNormRatio: clipNormRatio ?? null };
    const rule = {
      name: 'adal',
      rule: RULE_ADAL,
      stateNames: ['m', 'v'],
      squares: ['v'],
      scalarRange: [0, Number.MAX_VALUE] as const,
      scaled: true,
      fields: FIELDS,
      options: fixed,
    };
    super(runtime, { ...rule, globalNorm: normScope === 'global', normRatio }, own);
    this.#decay = decay;
    this.#normScope = normScope;
    this.addParams(params);
  }

  protected override checkTogether(
    { betas: [beta1, beta2] }: AdaLHyperparameters,
    where: string,
  ): void {
    checkNumber(
      `betas[1]${where}`,
      beta2,
      `(betas[0]², 1 - 1e-4]`,
      (x) => x > beta1 * beta1 && x <= MAX_BETA2,
    );
  }

  protected override checkGroups(groups: readonly Readonly<AdaLHyperparameters>[]): void {
    if (this.#normScope === 'tensor') return;
    const [first] = groups;
    for (const [index, { betas }] of groups.entries()) {
      if (betas[0] !== first.betas[0] || betas[1] !== first.betas[1]) {
        const expected = `${describe([...first.betas])} as in group 0, which normScope 'global' needs`;
        throw new ArgumentError(`betas (group ${index})`, expected, describe([...betas]));
      }
    }
  }

  /** Any gradient will do: what it may become is bounded in the kernels, by ε. */
  protected override limitNorm(scalars: StepScalars, values: Readonly<AdaLHyperparameters>): void {
    checkQuotient(scalars.lr, scalars.lr / (1 - values.betas[0]), SMALLEST_DIVISOR);
    scalars.normLimit = Infinity;
  }

  protected override writeGroup(
    table: StepTable,
    index: number,
    values: Readonly<AdaLHyperparameters>,
    scalars: StepScalars,
  ): void {
    super.writeGroup(table, index, values, scalars);
    // One division for both decays: as two branches V8 boxes the result, an allocation a step.
    const size =
      scalars.lr / (this.#decay === 'inverse-sqrt' ? Math.sqrt(scalars.optimizerStep) : 1);
    table.setGroup(index, GROUP_STEP_SIZE, size);
    table.setGroup(index, GROUP_EPS, values.eps);
    table.setGroup(index, GROUP_WEIGHT_DECAY, values.weightDecay);
  }
}

/**
 * Options that train networks better than the restated defaults did in our measurements: β2 = 0.95,
 * ε = 0, no built-in decay, a cosine from `lr` to 0. Never applied unasked.
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
