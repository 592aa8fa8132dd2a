/** AdaBound. Its kernel is assembly/optimizers/adabound.ts. */
import { AdaBoundKernel } from '../../build/optimizer-kernels';
import { ADAM_FIELDS, ADAM_STATE, type AdamHyperparameters, writeMoments } from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { nonNegative, normLimit, positive } from './hyperparameters';
import { Optimizer } from './optimizer';
import { advancePowers, POWERS } from './powers';

/** Hyperparameters of `AdaBound`. */
export interface AdaBoundHyperparameters extends AdamHyperparameters {
  /**
   * Rate that the bounds converge to; a schedule of `lr` does not change it. In [0, 2^64).
   * @default 0.1
   */
  finalLr: number;
  /** Speed at which the bounds converge, in [2^-60, 2^64). @default 1e-3 */
  gamma: number;
}

/** Options of `AdaBound`: its hyperparameters, and the options of every optimizer. */
export interface AdaBoundOptions
  extends CommonOptions<AdaBoundHyperparameters>,
    Partial<AdaBoundHyperparameters> {}

const K = AdaBoundKernel.constants;

const algorithm: Algorithm<AdaBoundHyperparameters> = {
  ...ADAM_STATE,
  kernels: [AdaBoundKernel],
  scalars: POWERS,
  limit(scalars, { finalLr, gamma }) {
    scalars.normLimit = normLimit(finalLr * (1 + 1 / gamma), 1);
  },
  prepare(scalars, values) {
    const { constants, step, own, lr } = scalars;
    const { eps, finalLr, gamma, weightDecay } = values;
    writeMoments(K, scalars, values);
    advancePowers(scalars, values);
    constants[K.k] = (lr * Math.sqrt(1 - own[1])) / (1 - own[0]);
    constants[K.eps] = eps;
    constants[K.low] = finalLr * (1 - 1 / (gamma * step + 1));
    constants[K.high] = finalLr * (1 + 1 / (gamma * step));
    constants[K.delta] = 1 - lr * weightDecay;
  },
};

const adabound: OptimizerDeclaration<AdaBoundHyperparameters, AdaBoundOptions> = {
  name: 'adabound',
  fields: { ...ADAM_FIELDS, finalLr: nonNegative(0.1), gamma: positive(1e-3) },
  algorithm: () => algorithm,
};

/**
 * AdaBound: Adam with its rate clamped to bounds that converge to `finalLr`:
 *
 *     rate = lr·√(1-β2^t)/(1-β1^t)/(√v + ε), clamped to
 *            [finalLr·(1 - 1/(γt + 1)), finalLr·(1 + 1/(γt))];  θ ← θ - rate·m
 *
 * Source: Luo et al. 2019, "Adaptive Gradient Methods with Dynamic Bound of Learning Rate", arXiv
 * 1902.09843.
 *
 * @example
 * const optimizer = new AdaBound(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AdaBound<Names extends string = string> extends Optimizer<
  AdaBoundHyperparameters,
  Names,
  AdaBoundOptions
> {
  /** @internal */
  static override readonly declaration = adabound;
}
