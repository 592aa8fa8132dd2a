/** Adagrad. The rule is in assembly/optimizers/adagrad.ts. */

import { RULE_ADAGRAD } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { LearningRate } from '../types';
import { copyOptions } from '../validate';
import { floatsOf } from './compact-tensor';
import {
  checkQuotient,
  epsilon,
  type Fields,
  learningRate,
  nonNegative,
  normLimit,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import type { Slot } from './registered-parameter';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface AdagradHyperparameters {
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
  /**
   * ε, added to √v: 0 or a number in [2^-126, 2^64). With 0, a coordinate whose v is 0 in float32
   * does not move. @default 1e-10
   */
  eps: number;
}

export interface AdagradOptions extends CommonOptions, Partial<AdagradHyperparameters> {
  /** Decay of the learning rate, in [0, 2^64). @default 0 */
  lrDecay?: number;
  /** What v begins with, as in PyTorch and optax (Keras: 0.1). In [0, 2^64). @default 0 */
  initialAccumulator?: number;
}

const FIELDS: Fields<AdagradHyperparameters> = {
  lr: learningRate(1e-2),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
  eps: epsilon(1e-10),
};
const OPTION_NAMES = [...Object.keys(FIELDS), 'lrDecay', 'initialAccumulator', ...COMMON_OPTIONS];

/**
 * Adagrad:
 *
 *     v ← v + g²;  θ ← θ - lr/(1 + (t-1)·lrDecay)·g/(√v + ε)
 *
 * Source: Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods".
 *
 * @example
 * const optimizer = new Adagrad(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class Adagrad extends Optimizer<AdagradHyperparameters> {
  readonly #lrDecay: number;
  readonly #initialAccumulator: number;

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdagradHyperparameters>,
    options: AdagradOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    const lrDecay = nonNegative(0).check('lrDecay', own.lrDecay ?? 0, '');
    const initialAccumulator = nonNegative(0).check(
      'initialAccumulator',
      own.initialAccumulator ?? 0,
      '',
    );
    super(
      runtime,
      {
        name: 'adagrad',
        rule: RULE_ADAGRAD,
        stateNames: ['sum'],
        squares: ['sum'],
        fields: FIELDS,
        options: { lrDecay },
      },
      own,
    );
    this.#lrDecay = lrDecay;
    this.#initialAccumulator = initialAccumulator;
    this.addParams(params);
  }

  protected override initialise({ states: [sum] }: Slot): void {
    floatsOf(sum).fill(this.#initialAccumulator);
  }

  protected override limitNorm(
    scalars: StepScalars,
    values: Readonly<AdagradHyperparameters>,
  ): void {
    checkQuotient(scalars.lr, scalars.lr, values.eps);
    scalars.normLimit = normLimit(scalars.lr, 1);
  }

  protected override prepare(
    { constants, step, lr }: StepScalars,
    values: Readonly<AdagradHyperparameters>,
  ): void {
    constants[1] = values.l2;
    constants[2] = lr / (1 + (step - 1) * this.#lrDecay);
    constants[3] = 1 - lr * values.weightDecay;
    constants[4] = values.eps;
  }
}
