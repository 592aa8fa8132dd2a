/** Lion. The rule is in assembly/optimizers/lion.ts. */
import { RULE_LION } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { copyOptions } from '../validate';
import { type AdamHyperparameters, writeMoments } from './adam-family';
import {
  averagingFactors,
  type CompactStateOptions,
  type Fields,
  learningRate,
  nonNegative,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

/** What a group may set for itself: as Adam, without eps. */
export type LionHyperparameters = Omit<AdamHyperparameters, 'eps' | keyof CompactStateOptions>;

const FIELDS: Fields<LionHyperparameters> = {
  lr: learningRate(1e-4),
  betas: averagingFactors([0.9, 0.99]),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
};

export interface LionOptions extends CommonOptions, Partial<LionHyperparameters> {}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * Lion: steps along the sign of an interpolated momentum:
 *
 *     c = β1·m + (1-β1)·g;  m ← β2·m + (1-β2)·g;  θ ← θ - lr·(sign(c) + λ·θ)
 *
 * Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675.
 *
 * @example
 * const optimizer = new Lion(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class Lion extends Optimizer<LionHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<LionHyperparameters>,
    options: LionOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(runtime, { name: 'lion', rule: RULE_LION, stateNames: ['exp_avg'], fields: FIELDS }, own);
    this.addParams(params);
  }

  protected override limitNorm(scalars: StepScalars): void {
    // The momentum is a mean of gradients: rounded up, it must stay within float32.
    scalars.normLimit = 2 ** 127;
  }

  protected override prepare(scalars: StepScalars, values: Readonly<LionHyperparameters>): void {
    const { lr } = scalars;
    writeMoments(scalars, values);
    scalars.constants[6] = lr;
    scalars.constants[7] = 1 - lr * values.weightDecay;
  }
}
