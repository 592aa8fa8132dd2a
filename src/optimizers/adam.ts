/** Adam. The rule is in assembly/optimizers/adam.ts. */
import { RULE_ADAM } from '../memory-layout/constants';
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

export interface AdamOptions extends CommonOptions, Partial<AdamHyperparameters> {}

const OPTION_NAMES = [...Object.keys(ADAM_FIELDS), ...COMMON_OPTIONS];

/**
 * Adam:
 *
 *     m ← β1·m + (1-β1)·g;  v ← β2·v + (1-β2)·g²;  θ ← θ - lr·m̂/(√v̂ + ε)
 *
 * Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", arXiv 1412.6980.
 *
 * @example
 * const optimizer = new Adam(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class Adam extends Optimizer<AdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters>,
    options: AdamOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'adam',
        rule: RULE_ADAM,
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
    writeAdam(scalars, values);
  }
}
