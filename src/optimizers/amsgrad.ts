/** AMSGrad. Its kernel is assembly/optimizers/amsgrad.ts. */
import { AMSGradKernel } from '../../build/optimizer-kernels';
import {
  ADAM_FIELDS,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeAdam,
} from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { Optimizer } from './optimizer';
import { POWERS } from './powers';

/** Options of `AMSGrad`: Adam's hyperparameters, and the options of every optimizer. */
export interface AMSGradOptions
  extends CommonOptions<AdamHyperparameters>,
    Partial<AdamHyperparameters> {}

const algorithm: Algorithm<AdamHyperparameters> = {
  ...ADAM_STATE,
  stateNames: [...ADAM_STATE.stateNames, 'max_exp_avg_sq'],
  squares: [...ADAM_STATE.squares, 'max_exp_avg_sq'],
  kernels: [AMSGradKernel],
  scalars: POWERS,
  limit: limitMoments,
  prepare: (scalars, values) => writeAdam(AMSGradKernel.constants, scalars, values),
};

const amsgrad: OptimizerDeclaration<AdamHyperparameters, AMSGradOptions> = {
  name: 'amsgrad',
  fields: ADAM_FIELDS,
  algorithm: () => algorithm,
};

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
export class AMSGrad<Names extends string = string> extends Optimizer<
  AdamHyperparameters,
  Names,
  AMSGradOptions
> {
  /** @internal */
  static override readonly declaration = amsgrad;
}
