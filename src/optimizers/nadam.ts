/** NAdam. The rule is in assembly/optimizers/nadam.ts. */

import { pow } from '../math/pow';
import { RULE_NADAM } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { copyOptions } from '../validate';
import {
  ADAM_FIELDS,
  ADAM_SQUARES,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeMoments,
} from './adam-family';
import { type Fields, learningRate, nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface NAdamHyperparameters extends AdamHyperparameters {
  /**
   * How fast the momentum approaches β1, in [0, 2^64): .004 as in PyTorch. Keras has 1; optax has
   * no momentum schedule, which is what a large number comes to. @default 4e-3
   */
  momentumDecay: number;
}

const FIELDS: Fields<NAdamHyperparameters> = {
  ...ADAM_FIELDS,
  lr: learningRate(2e-3),
  momentumDecay: nonNegative(4e-3),
};

export interface NAdamOptions extends CommonOptions, Partial<NAdamHyperparameters> {}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * NAdam: with μ_t = β1·(1 - ½·0.96^(t·momentumDecay)),
 *
 *     θ ← θ - lr·[(1-μ_t)/(1-Πμ_{≤t})·g + μ_{t+1}/(1-Πμ_{≤t+1})·m]/(√v̂ + ε)
 *
 * Source: Dozat 2016, "Incorporating Nesterov Momentum into Adam", ICLR workshop.
 *
 * @example
 * const optimizer = new NAdam(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class NAdam extends Optimizer<NAdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<NAdamHyperparameters>,
    options: NAdamOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'nadam',
        rule: RULE_NADAM,
        stateNames: ADAM_STATE,
        squares: ADAM_SQUARES,
        fields: FIELDS,
        initialScalar: 1,
        scalarRange: [0, 1],
      },
      own,
    );
    this.addParams(params);
  }

  protected override limitNorm(scalars: StepScalars, values: Readonly<NAdamHyperparameters>): void {
    limitMoments(scalars, values);
  }

  protected override prepare(scalars: StepScalars, values: Readonly<NAdamHyperparameters>): void {
    const { lr } = scalars;
    const { constants, step, beta2Power } = scalars;
    writeMoments(scalars, values);
    const mu = momentumAt(values, step);
    const next = momentumAt(values, step + 1);
    const product = scalars.scalar * mu;
    constants[6] = (lr * (1 - mu)) / (1 - product);
    constants[7] = (lr * next) / (1 - product * next);
    constants[8] = 1 / Math.sqrt(1 - beta2Power);
    constants[9] = values.eps;
    constants[10] = 1 - lr * values.weightDecay;
    scalars.scalar = product;
  }
}

/** μ_t. */
function momentumAt(
  { betas: [beta1], momentumDecay }: Readonly<NAdamHyperparameters>,
  step: number,
): number {
  return beta1 * (1 - 0.5 * pow(0.96, step * momentumDecay));
}
