/** AdaL: gradients amplified by their L1 norm, then averaged as in Adam. The rule's arithmetic is in assembly/optimizers/adal.ts. */
import { GROUP_BETA1, GROUP_BETA2, GROUP_EPS, GROUP_STEP_SIZE, GROUP_WEIGHT_DECAY, RULE_ADAL } from '../abi/layout';
import { ArgumentError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { cosine } from '../schedules';
import type { LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, checkOptions, describe } from '../validate';
import { type CommonOptions, Optimizer } from './optimizer';
import {
  checkBetas,
  checkLearningRate,
  checkWeightDecay,
  type Hyperparameters,
  type ParamGroup,
  type ParamsInit,
} from './param-group';
import type { StepTable } from './step-table';

export interface AdaLOptions extends CommonOptions {
  /**
   * Learning rate η: a number in [0, ∞), or a function of the step (1-based). With `decay: 'inverse-sqrt'` it is further
   * divided by √t.
   * @default 1e-2
   */
  lr?: LearningRate;
  /** β1 and β2, with β1² < β2 ≤ 1 - 1e-4. @default [0.9, 0.999] */
  betas?: readonly [number, number];
  /** ε, added to v̂^(-1/2) (not to √v̂ as in Adam), so its unit is 1/gradient². @default 1e-8 */
  eps?: number;
  /** 'inverse-sqrt' divides the learning rate by √t, as the restated rule does; 'none' leaves it. @default 'inverse-sqrt' */
  decay?: 'inverse-sqrt' | 'none';
  /** Each tensor is scaled by its own ‖g‖₁ ('tensor'), or all by the norm over all of them ('global'). @default 'tensor' */
  normScope?: 'tensor' | 'global';
  /** Decoupled weight decay λ: θ ← θ·(1 - a·λ) with a the step size. @default 0 */
  weightDecay?: number;
}

const OPTION_NAMES = ['lr', 'betas', 'eps', 'decay', 'normScope', 'weightDecay', 'onNonFinite'];
const DEFAULTS: Hyperparameters = { lr: 1e-2, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };
const MAX_BETA2 = 1 - 1e-4;

/**
 * AdaL, the rule as restated (Zhang et al. 2021, arXiv 2107.01525), with reference defaults of our own choice:
 *
 *     ĝ = ‖g‖₁·g;  m ← β1·m + (1-β1)·ĝ;  v ← β2·v + (1-β2)·ĝ²;  θ ← θ - η/√t·(v̂^(-1/2) + ε)·m̂
 *
 * State is kept scaled by powers of two, so that ĝ² (a fourth power of the gradient's scale) neither overflows nor
 * vanishes: with ε = 0 steps are sound for |g| from 1e-33 to 1e29. A coordinate whose gradients were all zero does not move.
 *
 * @example
 * const runtime = await createRuntime();
 * const optimizer = new AdaL(runtime, { w: new Float32Array([1, 2, 3]) }, { lr: 1e-2 });
 * optimizer.grads.w.set([0.1, 0, -0.2]);
 * optimizer.step();
 * console.log(optimizer.params.w);
 */
export class AdaL extends Optimizer {
  readonly #defaults: Hyperparameters;
  readonly #decay: 'inverse-sqrt' | 'none';
  readonly #normScope: 'tensor' | 'global';

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays allocated then
   */
  constructor(runtime: Runtime, params: ParamsInit, options: AdaLOptions = {}) {
    checkOptions('options', options, OPTION_NAMES);
    const normScope = checkChoice('normScope', options.normScope ?? 'tensor', ['tensor', 'global']);
    super(runtime, { name: 'adal', rule: RULE_ADAL, stateNames: ['m', 'v'], globalNorm: normScope === 'global' }, options);
    this.check();
    this.#normScope = normScope;
    this.#decay = checkChoice('decay', options.decay ?? 'inverse-sqrt', ['inverse-sqrt', 'none']);
    const { lr, betas, eps, weightDecay } = options;
    this.#defaults = DEFAULTS;
    this.#defaults = this.checkHyperparameters({ lr, betas, eps, weightDecay }, '');
    this.addParams(params);
  }

  protected override checkHyperparameters(given: Partial<Hyperparameters>, where: string): Hyperparameters {
    const { lr = this.#defaults.lr, eps = this.#defaults.eps } = given;
    const { betas = this.#defaults.betas, weightDecay = this.#defaults.weightDecay } = given;
    const [beta1, beta2] = checkBetas('betas', betas, where);
    checkNumber(`betas[1]${where}`, beta2, `(betas[0]², 1 - 1e-4]`, (x) => x > beta1 * beta1 && x <= MAX_BETA2);
    return {
      lr: checkLearningRate(`lr${where}`, lr),
      betas: [beta1, beta2],
      eps: checkNumber(`eps${where}`, eps, '[0, ∞)', (x) => x >= 0),
      weightDecay: checkWeightDecay(`weightDecay${where}`, weightDecay),
    };
  }

  protected override checkGroups(groups: readonly Pick<ParamGroup, 'betas' | 'index'>[]): void {
    if (this.#normScope === 'tensor') return;
    const [first] = groups;
    for (const { betas, index } of groups) {
      if (betas[0] !== first.betas[0] || betas[1] !== first.betas[1]) {
        const expected = `${describe([...first.betas])} as in group 0, which normScope 'global' needs`;
        throw new ArgumentError(`betas (group ${index})`, expected, describe([...betas]));
      }
    }
  }

  protected override writeGroup(table: StepTable, group: ParamGroup, t: number): void {
    const lr = group.learningRateAt(t);
    // One division for both decays: as two branches V8 boxes the result, an allocation a step.
    table.setGroup(group.index, GROUP_STEP_SIZE, lr / (this.#decay === 'inverse-sqrt' ? Math.sqrt(t) : 1));
    table.setGroup(group.index, GROUP_BETA1, group.betas[0]);
    table.setGroup(group.index, GROUP_BETA2, group.betas[1]);
    table.setGroup(group.index, GROUP_EPS, group.eps);
    table.setGroup(group.index, GROUP_WEIGHT_DECAY, group.weightDecay);
  }
}

/**
 * Options that train networks better than the restated defaults did in our measurements: β2 = 0.95, ε = 0, no built-in
 * decay, a cosine from `lr` to 0. Never applied unasked.
 *
 * @param options.totalSteps steps of the whole run, an integer ≥ 1
 * @param options.lr learning rate of the first step. Default 1e-2
 * @example
 * const optimizer = await createOptimizer('adal', params, practical({ totalSteps: 10_000 }));
 */
export function practical({ totalSteps, lr = 1e-2 }: { totalSteps: number; lr?: number }): AdaLOptions {
  checkInteger('totalSteps', totalSteps, 1, Number.MAX_SAFE_INTEGER);
  checkNumber('lr', lr, '[0, ∞)', (x) => x >= 0);
  return { lr: cosine({ lr, totalSteps }), betas: [0.9, 0.95], eps: 0, decay: 'none' };
}
