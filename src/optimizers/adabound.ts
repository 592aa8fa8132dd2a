/** AdaBound. The rule is in assembly/optimizers/adabound.ts. */
import { RULE_ADABOUND } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { copyOptions } from '../validate';
import {
  ADAM_FIELDS,
  ADAM_SQUARES,
  ADAM_STATE,
  type AdamHyperparameters,
  writeMoments,
} from './adam-family';
import { type Fields, nonNegative, normLimit, positive } from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface AdaBoundHyperparameters extends AdamHyperparameters {
  /**
   * The rate that the bounds close in on; a schedule of `lr` does not move it. In [0, 2^64).
   * @default 0.1
   */
  finalLr: number;
  /** How fast they do, in [2^-60, 2^64). @default 1e-3 */
  gamma: number;
}

const FIELDS: Fields<AdaBoundHyperparameters> = {
  ...ADAM_FIELDS,
  finalLr: nonNegative(0.1),
  gamma: positive(1e-3),
};

export interface AdaBoundOptions extends CommonOptions, Partial<AdaBoundHyperparameters> {}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * AdaBound: Adam with its rate clamped to bounds that close in on `finalLr`:
 *
 *     rate = lr·√(1-β2^t)/(1-β1^t)/(√v + ε), at least finalLr·(1 - 1/(γt + 1)), at most finalLr·(1 + 1/(γt));  θ ← θ - rate·m
 *
 * Source: Luo et al. 2019, "Adaptive Gradient Methods with Dynamic Bound of Learning Rate", arXiv
 * 1902.09843.
 *
 * @example
 * const optimizer = new AdaBound(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AdaBound extends Optimizer<AdaBoundHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdaBoundHyperparameters>,
    options: AdaBoundOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'adabound',
        rule: RULE_ADABOUND,
        stateNames: ADAM_STATE,
        squares: ADAM_SQUARES,
        fields: FIELDS,
      },
      own,
    );
    this.addParams(params);
  }

  protected override limitNorm(
    scalars: StepScalars,
    values: Readonly<AdaBoundHyperparameters>,
  ): void {
    scalars.normLimit = normLimit(values.finalLr * (1 + 1 / values.gamma), 1);
  }

  protected override prepare(
    scalars: StepScalars,
    values: Readonly<AdaBoundHyperparameters>,
  ): void {
    const { lr } = scalars;
    const { constants, step, beta1Power, beta2Power } = scalars;
    const { eps, finalLr, gamma, weightDecay } = values;
    writeMoments(scalars, values);
    constants[6] = (lr * Math.sqrt(1 - beta2Power)) / (1 - beta1Power);
    constants[7] = eps;
    constants[8] = finalLr * (1 - 1 / (gamma * step + 1));
    constants[9] = finalLr * (1 + 1 / (gamma * step));
    constants[10] = 1 - lr * weightDecay;
  }
}
