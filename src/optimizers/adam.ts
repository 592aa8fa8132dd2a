/** Adam. Its kernel is assembly/optimizers/adam.ts. */
import { AdamKernel, AdamZeroEpsKernel } from '../../build/optimizer-kernels';
import type { Runtime } from '../runtime/runtime';
import {
  ADAM_FIELDS,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeAdam,
} from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { Optimizer } from './optimizer';
import type { ParamsInit } from './param-group';
import { POWERS } from './powers';

/** Options of `Adam`: its hyperparameters, and the options of every optimizer. */
export interface AdamOptions
  extends CommonOptions<AdamHyperparameters>,
    Partial<AdamHyperparameters> {}

/** The algorithm of Adam, and of AdamW. */
export const ADAM: Algorithm<AdamHyperparameters> = {
  ...ADAM_STATE,
  kernels: [AdamKernel, AdamZeroEpsKernel],
  kernelOf: ({ eps }) => (eps === 0 ? AdamZeroEpsKernel : AdamKernel),
  scalars: POWERS,
  limit: limitMoments,
  prepare: (scalars, values) => writeAdam(AdamKernel.constants, scalars, values),
};

const adam: OptimizerDeclaration<AdamHyperparameters, AdamOptions> = {
  name: 'adam',
  fields: ADAM_FIELDS,
  algorithm: () => ADAM,
};

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
export class Adam<Names extends string = string> extends Optimizer<AdamHyperparameters, Names> {
  /**
   * @param params parameters by name, or groups of them with hyperparameters of their own
   * @throws ArgumentError for an argument out of range; OutOfMemoryError when parameters, gradients
   * and state do not fit: nothing stays allocated then
   */
  constructor(
    runtime: Runtime,
    params: ParamsInit<AdamHyperparameters, Names>,
    options: AdamOptions = {},
  ) {
    super(runtime, adam, params, options);
  }
}
