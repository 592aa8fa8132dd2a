/** RAdam. Its kernel is assembly/optimizers/radam.ts. */
import { RAdamKernel } from '../../build/optimizer-kernels';
import {
  ADAM_FIELDS,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeMoments,
} from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { Optimizer } from './optimizer';
import { advancePowers, POWERS } from './powers';

/** Options of `RAdam`: Adam's hyperparameters, and the options of every optimizer. */
export interface RAdamOptions
  extends CommonOptions<AdamHyperparameters>,
    Partial<AdamHyperparameters> {}

const K = RAdamKernel.constants;

const algorithm: Algorithm<AdamHyperparameters> = {
  ...ADAM_STATE,
  kernels: [RAdamKernel],
  scalars: POWERS,
  limit: limitMoments,
  prepare(scalars, values) {
    const { constants, step, own, lr } = scalars;
    writeMoments(K, scalars, values);
    advancePowers(scalars, values);
    const beta1Power = own[0];
    const beta2Power = own[1];
    const limit = 2 / (1 - values.betas[1]) - 1;
    const length = limit - (2 * step * beta2Power) / (1 - beta2Power);
    const k = lr / (1 - beta1Power);
    const rectified = length > 5;
    const variance = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
    constants[K.ka] = rectified ? k * Math.sqrt(variance) * Math.sqrt(1 - beta2Power) : 0;
    constants[K.kb] = rectified ? 0 : k;
    constants[K.eps] = values.eps;
    constants[K.delta] = 1 - lr * values.weightDecay;
  },
};

const radam: OptimizerDeclaration<AdamHyperparameters, RAdamOptions> = {
  name: 'radam',
  fields: ADAM_FIELDS,
  algorithm: () => algorithm,
};

/**
 * RAdam: with ρ∞ = 2/(1-β2) - 1 and ρ = ρ∞ - 2t·β2^t/(1-β2^t),
 *
 *     ρ > 5:      θ ← θ - lr·m̂·r·√(1-β2^t)/(√v + ε),  r² = (ρ-4)(ρ-2)ρ∞/((ρ∞-4)(ρ∞-2)ρ)
 *     otherwise:  θ ← θ - lr·m̂
 *
 * Source: Liu et al. 2020, "On the Variance of the Adaptive Learning Rate and Beyond", arXiv
 * 1908.03265.
 *
 * @example
 * const optimizer = new RAdam(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class RAdam<Names extends string = string> extends Optimizer<
  AdamHyperparameters,
  Names,
  RAdamOptions
> {
  /** @internal */
  static override readonly declaration = radam;
}
