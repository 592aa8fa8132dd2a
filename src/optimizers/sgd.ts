/** Stochastic gradient descent. The rules are in assembly/optimizers/sgd.ts. */
import { RULE_SGD, RULE_SGD_MOMENTUM } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { LearningRate } from '../types';
import { copyOptions, fail } from '../validate';
import { type Fields, fraction, learningRate, MOVE_LIMIT, nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';
import { checkBoolean, type ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface SGDHyperparameters {
  /** A number in [0, 2^64), or a function of the step (1-based). @default 1e-2 */
  lr: LearningRate;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0
   */
  weightDecay: number;
  /**
   * Coupled L2: l2·θ is added to the gradient, as PyTorch's `weight_decay` does it here. A number
   * in [0, 2^64). @default 0
   */
  l2: number;
}

export interface SGDOptions extends CommonOptions, Partial<SGDHyperparameters> {
  /** μ, in [0, 1 - 2^-25). Without it no state is kept. @default 0 */
  momentum?: number;
  /** In [0, 1 - 2^-25): how much of each gradient is kept out of the momentum. @default 0 */
  dampening?: number;
  /** Nesterov's form; needs momentum and no dampening. @default false */
  nesterov?: boolean;
}

const FIELDS: Fields<SGDHyperparameters> = {
  lr: learningRate(1e-2),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
};
const OPTION_NAMES = [
  ...Object.keys(FIELDS),
  'momentum',
  'dampening',
  'nesterov',
  ...COMMON_OPTIONS,
];

/**
 * Stochastic gradient descent, optionally with momentum as PyTorch has it (the first step takes the
 * gradient undamped):
 *
 *     m ← μ·m + (1 - dampening)·g;  θ ← θ - lr·m, or with Nesterov's form θ ← θ - lr·(g + μ·m)
 *
 * Sources: Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum in
 * deep learning".
 *
 * @example
 * const optimizer = new SGD(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class SGD extends Optimizer<SGDHyperparameters> {
  readonly #momentum: number;
  readonly #dampening: number;
  readonly #nesterov: boolean;

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(runtime: Runtime, params: ParamsInit<SGDHyperparameters>, options: SGDOptions = {}) {
    const own = copyOptions('options', options, OPTION_NAMES);
    const momentum = fraction(0).check('momentum', own.momentum ?? 0, '');
    const dampening = fraction(0).check('dampening', own.dampening ?? 0, '');
    const nesterov = checkBoolean('nesterov', own.nesterov ?? false);
    if (nesterov && momentum === 0) fail('momentum', 'a number in (0, 1) with nesterov', momentum);
    if (nesterov && dampening !== 0) fail('dampening', '0 with nesterov', dampening);
    const rule = momentum === 0 ? RULE_SGD : RULE_SGD_MOMENTUM;
    const stateNames = momentum === 0 ? [] : ['momentum_buffer'];
    const fixed = { momentum, dampening, nesterov };
    super(runtime, { name: 'sgd', rule, stateNames, fields: FIELDS, options: fixed }, own);
    this.#momentum = momentum;
    this.#dampening = dampening;
    this.#nesterov = nesterov;
    this.addParams(params);
  }

  protected override limitNorm(scalars: StepScalars): void {
    // Neither the momentum, a sum of at most 1/(1-μ) gradients, nor a step along it may come near
    // the end of float32.
    const { lr } = scalars;
    const rate = this.#momentum === 0 ? lr : Math.max(1, 2 * lr) / (1 - this.#momentum);
    scalars.normLimit = MOVE_LIMIT / Math.max(rate, 2 ** -126);
  }

  protected override prepare(
    { constants, step, lr }: StepScalars,
    values: Readonly<SGDHyperparameters>,
  ): void {
    constants[1] = values.l2;
    constants[2] = lr;
    constants[3] = 1 - lr * values.weightDecay;
    constants[4] = this.#momentum;
    constants[5] = step === 1 ? 1 : 1 - this.#dampening;
    constants[6] = this.#nesterov ? 1 : 0;
    constants[7] = this.#nesterov ? this.#momentum : 1;
  }
}
