/** AdaBelief. Its kernel is assembly/optimizers/adabelief.ts. */
import { AdaBeliefKernel } from '../../build/optimizer-kernels';
import {
  ADAM_FIELDS,
  type AdamHyperparameters,
  momentRatio,
  writeAdam,
  writeBeta1,
} from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { checkQuotient, epsilon, leastDivisor, normLimit } from './hyperparameters';
import { Optimizer } from './optimizer';
import { POWERS } from './powers';

/** Hyperparameters of `AdaBelief`. */
export interface AdaBeliefHyperparameters extends AdamHyperparameters {
  /**
   * ε, added to s in every step and to √ŝ: 0 or a number in [2^-126, 2^64). With 0 the divisor
   * vanishes under constant gradients, and steps grow without bound.
   * @default 1e-16
   */
  eps: number;
}

/** Options of `AdaBelief`: its hyperparameters, and the options of every optimizer. */
export interface AdaBeliefOptions
  extends CommonOptions<AdaBeliefHyperparameters>,
    Partial<AdaBeliefHyperparameters> {}

const algorithm: Algorithm<AdaBeliefHyperparameters> = {
  stateNames: ['exp_avg', 'exp_avg_var'],
  squares: ['exp_avg_var'],
  momentRatio: momentRatio('exp_avg_var'),
  kernels: [AdaBeliefKernel],
  scalars: POWERS,
  writeMomentum: writeBeta1,
  limit(scalars, values) {
    const { lr, momentum } = scalars;
    const k = lr / (1 - momentum);
    // Every v holds ε, so the divisor is at least √ε; (g - m)² may vanish beside any m, so nothing
    // else bounds the quotient.
    const root = Math.sqrt(values.eps);
    checkQuotient(lr, k, root);
    scalars.normLimit = normLimit(k, leastDivisor(root));
  },
  prepare: (scalars, values) => writeAdam(AdaBeliefKernel.constants, scalars, values),
};

const adabelief: OptimizerDeclaration<AdaBeliefHyperparameters, AdaBeliefOptions> = {
  name: 'adabelief',
  fields: { ...ADAM_FIELDS, eps: epsilon(1e-16) },
  algorithm: () => algorithm,
};

/**
 * AdaBelief:
 *
 *     s ← β2·s + (1-β2)·(g - m)² + ε with the new m;  θ ← θ - lr·m̂/(√ŝ + ε)
 *
 * ε enters s in every step and is added to √ŝ as well, as in the authors' code.
 *
 * Source: Zhuang et al. 2020, "AdaBelief Optimizer", arXiv 2010.07468.
 *
 * @example
 * const runtime = await createRuntime();
 * const optimizer = new AdaBelief(runtime, { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AdaBelief<Names extends string = string> extends Optimizer<
  AdaBeliefHyperparameters,
  Names,
  AdaBeliefOptions
> {
  /** @internal */
  static override readonly declaration = adabelief;
}
