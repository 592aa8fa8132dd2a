/** AdaBelief. The rule is in assembly/optimizers/adabelief.ts. */
import { RULE_ADABELIEF } from '../memory-layout/constants';
import type { Runtime } from '../runtime/runtime';
import { copyOptions } from '../validate';
import { ADAM_FIELDS, type AdamHyperparameters, writeAdam } from './adam-family';
import { checkQuotient, epsilon, leastDivisor, normLimit } from './hyperparameters';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { COMMON_OPTIONS, type CommonOptions } from './rule';
import type { StepScalars } from './step-table';

const FIELDS = { ...ADAM_FIELDS, eps: epsilon(1e-16) };

export interface AdaBeliefOptions extends CommonOptions, Partial<AdamHyperparameters> {
  /** ε: 0 or a number in [2^-126, 2^64). @default 1e-16 */
  eps?: number;
}

const OPTION_NAMES = [...Object.keys(FIELDS), ...COMMON_OPTIONS];

/**
 * AdaBelief:
 *
 *     s ← β2·s + (1-β2)·(g - m)² + ε with the new m;  θ ← θ - lr·m̂/(√ŝ + ε)
 *
 * ε, by default 1e-16, enters s in every step and is added to √ŝ as well, as in the authors' code.
 * With ε = 0 the divisor vanishes under constant gradients, and steps grow without bound.
 *
 * Source: Zhuang et al. 2020, "AdaBelief Optimizer", arXiv 2010.07468.
 *
 * @example
 * const optimizer = new AdaBelief(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3
 * });
 */
export class AdaBelief extends Optimizer<AdamHyperparameters> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for anything out of range
   * @throws OutOfMemoryError when parameters, gradients and state do not fit; nothing stays
   * allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters>,
    options: AdaBeliefOptions = {},
  ) {
    const own = copyOptions('options', options, OPTION_NAMES);
    super(
      runtime,
      {
        name: 'adabelief',
        rule: RULE_ADABELIEF,
        stateNames: ['exp_avg', 'exp_avg_var'],
        squares: ['exp_avg_var'],
        fields: FIELDS,
      },
      own,
    );
    this.addParams(params);
  }

  protected override limitNorm(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
    const { lr } = scalars;
    const k = lr / (1 - values.betas[0]);
    // Every v holds ε, so the divisor is at least √ε; (g - m)² may vanish beside any m, so nothing
    // else bounds the quotient.
    const root = Math.sqrt(values.eps);
    checkQuotient(lr, k, root);
    scalars.normLimit = normLimit(k, leastDivisor(root));
  }

  protected override prepare(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
    writeAdam(scalars, values);
  }
}
