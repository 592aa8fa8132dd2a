/** RAdam. The rule is in assembly/optimizers/radam.ts. */
import { RULE_RADAM } from '../memory-layout/constants';
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
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

export interface RAdamOptions extends CommonOptions, Partial<AdamHyperparameters> {}

const OPTION_NAMES = [...Object.keys(ADAM_FIELDS), ...COMMON_OPTIONS];

/**
 * RAdam: with ρ∞ = 2/(1-β2) - 1 and ρ = ρ∞ - 2t·β2^t/(1-β2^t),
 *
 *     ρ > 5:  θ ← θ - lr·m̂·r·√(1-β2^t)/(√v + ε),  r² = (ρ-4)(ρ-2)ρ∞/((ρ∞-4)(ρ∞-2)ρ);  otherwise θ ← θ - lr·m̂
 *
 * Source: Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond", arXiv
 * 1908.03265.
 *
 * @example
 * const optimizer = new RAdam(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class RAdam extends Optimizer<AdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters>,
    options: RAdamOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'radam',
        rule: RULE_RADAM,
        stateNames: ADAM_STATE,
        squares: ADAM_SQUARES,
        fields: ADAM_FIELDS,
      },
      own,
    );
    this.addParams(params);
  }

  protected override limitNorm(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
    limitMoments(scalars, values);
  }

  protected override prepare(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
    const { lr } = scalars;
    const { constants, step, beta1Power, beta2Power } = scalars;
    writeMoments(scalars, values);
    const limit = 2 / (1 - values.betas[1]) - 1;
    const length = limit - (2 * step * beta2Power) / (1 - beta2Power);
    const k = lr / (1 - beta1Power);
    const rectified = length > 5;
    const variance = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
    constants[6] = rectified ? k * Math.sqrt(variance) * Math.sqrt(1 - beta2Power) : 0;
    constants[7] = rectified ? 0 : k;
    constants[8] = values.eps;
    constants[9] = 1 - lr * values.weightDecay;
  }
}
