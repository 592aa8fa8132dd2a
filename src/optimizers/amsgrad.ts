/** AMSGrad. The rule is in assembly/optimizers/amsgrad.ts. */
import { RULE_AMSGRAD } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { copyOptions } from '../validate';
import {
  ADAM_FIELDS,
  ADAM_SQUARES,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeAdam,
} from './adam-family';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

export interface AMSGradOptions extends CommonOptions, Partial<AdamHyperparameters> {}

const OPTION_NAMES = [...Object.keys(ADAM_FIELDS), ...COMMON_OPTIONS];

/**
 * AMSGrad: Adam with the largest v so far in place of v, taken before bias correction, as in
 * PyTorch and Keras (optax takes it after):
 *
 *     w ← max(w, v);  θ ← θ - lr·m̂/(√ŵ + ε)
 *
 * Source: Reddi, Kale & Kumar 2018, "On the Convergence of Adam and Beyond", arXiv 1904.09237.
 *
 * @example
 * const optimizer = new AMSGrad(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AMSGrad extends Optimizer<AdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters>,
    options: AMSGradOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'amsgrad',
        rule: RULE_AMSGRAD,
        stateNames: [...ADAM_STATE, 'max_exp_avg_sq'],
        squares: [...ADAM_SQUARES, 'max_exp_avg_sq'],
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
    writeAdam(scalars, values);
  }
}
