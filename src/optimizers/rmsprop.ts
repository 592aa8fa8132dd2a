/** RMSProp. The rules are in assembly/optimizers/rmsprop.ts. */
import {
  RULE_RMSPROP,
  RULE_RMSPROP_CENTERED,
  RULE_RMSPROP_CENTERED_MOMENTUM,
  RULE_RMSPROP_MOMENTUM,
} from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import type { LearningRate } from '../types';
import { copyOptions } from '../validate';
import {
  epsilon,
  type Fields,
  fraction,
  learningRate,
  leastDivisor,
  nonNegative,
  normLimit,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import { checkBoolean, type ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface RMSPropHyperparameters {
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
  /** α, the averaging factor, in [0, 1 - 2^-25). @default 0.99 (Keras: 0.9) */
  alpha: number;
  /**
   * ε, added to the root, as in PyTorch (TensorFlow.js adds it under the root, by default 1e-7): 0
   * or a number in [2^-126, 2^64). With 0, a coordinate whose v (or v - a²) is 0 in float32 does
   * not move. @default 1e-8
   */
  eps: number;
}

export interface RMSPropOptions extends CommonOptions, Partial<RMSPropHyperparameters> {
  /** μ, in [0, 1 - 2^-25). @default 0 */
  momentum?: number;
  /** Subtract the square of the mean gradient. @default false */
  centered?: boolean;
}

const FIELDS: Fields<RMSPropHyperparameters> = {
  lr: learningRate(1e-2),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
  alpha: fraction(0.99),
  eps: epsilon(1e-8),
};
const OPTION_NAMES = [...Object.keys(FIELDS), 'momentum', 'centered', ...COMMON_OPTIONS];

/**
 * RMSProp as PyTorch has it, optionally centred (a is the mean gradient) and with momentum:
 *
 *     v ← α·v + (1-α)·g²;  a ← α·a + (1-α)·g;  u = g/(√max(v - a², 0) + ε);  m ← μ·m + u;  θ ← θ - lr·m
 *
 * Sources: Tieleman & Hinton 2012, lecture 6.5; Graves 2013, arXiv 1308.0850 (centred).
 *
 * @example
 * const optimizer = new RMSProp(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class RMSProp extends Optimizer<RMSPropHyperparameters> {
  readonly #momentum: number;
  readonly #centered: boolean;

  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<RMSPropHyperparameters>,
    options: RMSPropOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    const momentum = fraction(0).check('momentum', own.momentum ?? 0, '');
    const centered = checkBoolean('centered', own.centered ?? false);
    const form = formOf(momentum > 0, centered);
    super(
      runtime,
      {
        name: 'rmsprop',
        ...form,
        squares: ['square_avg'],
        fields: FIELDS,
        options: { momentum, centered },
      },
      own,
    );
    this.#momentum = momentum;
    this.#centered = centered;
    this.addParams(params);
  }

  protected override limitNorm(
    scalars: StepScalars,
    values: Readonly<RMSPropHyperparameters>,
  ): void {
    // v - a² may vanish beside any gradient; v alone holds a share of its square.
    const divisor = this.#centered ? leastDivisor(values.eps) : 1;
    scalars.normLimit = normLimit(Math.max(1, scalars.lr) / (1 - this.#momentum), divisor);
  }

  protected override prepare(
    { constants, lr }: StepScalars,
    values: Readonly<RMSPropHyperparameters>,
  ): void {
    constants[1] = values.l2;
    constants[2] = lr;
    constants[3] = 1 - lr * values.weightDecay;
    constants[4] = values.alpha;
    constants[5] = 1 - values.alpha;
    constants[6] = values.eps;
    constants[7] = this.#momentum;
  }
}

/** Which rule, and how its state is laid out: v, momentum, mean gradient. */
function formOf(momentum: boolean, centered: boolean): { rule: number; stateNames: string[] } {
  if (!centered && !momentum) return { rule: RULE_RMSPROP, stateNames: ['square_avg'] };
  if (!centered)
    return { rule: RULE_RMSPROP_MOMENTUM, stateNames: ['square_avg', 'momentum_buffer'] };
  if (!momentum) return { rule: RULE_RMSPROP_CENTERED, stateNames: ['square_avg', 'grad_avg'] };
  return {
    rule: RULE_RMSPROP_CENTERED_MOMENTUM,
    stateNames: ['square_avg', 'momentum_buffer', 'grad_avg'],
  };
}
