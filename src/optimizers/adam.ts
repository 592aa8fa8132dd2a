/** Adam. Its kernel is assembly/optimizers/adam.ts. */
import { AdamKernel, AdamZeroEpsKernel } from '../../build/optimizer-kernels';
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
export class Adam<Names extends string = string> extends Optimizer<
  AdamHyperparameters,
  Names,
  AdamOptions
> {
  /** @internal */
  static override readonly declaration = adam;
}
