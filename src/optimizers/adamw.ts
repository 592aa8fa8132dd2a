/** AdamW: Adam with decoupled weight decay, 0.01 unless told otherwise. */
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
import { nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

const FIELDS = { ...ADAM_FIELDS, weightDecay: nonNegative(0.01) };

export interface AdamWOptions extends CommonOptions, Partial<AdamHyperparameters> {}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * AdamW:
 *
 *     θ ← θ·(1 - lr·λ), then as Adam
 *
 * Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", arXiv 1711.05101.
 *
 * @example
 * const optimizer = new AdamW(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AdamW extends Optimizer<AdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters>,
    options: AdamWOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'adamw',
        rule: RULE_ADAM,
        stateNames: ADAM_STATE,
        squares: ADAM_SQUARES,
        fields: FIELDS,
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
