/** NAdam. Its kernel is assembly/optimizers/nadam.ts. */
import { NAdamKernel } from '../../build/optimizer-kernels';
import { pow } from '../math/pow';
import type { LearningRate } from '../types';
import {
  ADAM_FIELDS,
  ADAM_STATE,
  type AdamHyperparameters,
  limitMoments,
  writeMoments,
} from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { learningRate, nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';
import { advancePowers, POWER, POWERS } from './powers';

/** Hyperparameters of `NAdam`. */
export interface NAdamHyperparameters extends AdamHyperparameters {
  /** Learning rate: a number in [0, 2^64), or a function of the step (1-based). @default 2e-3 */
  lr: LearningRate;
  /**
   * How fast the momentum approaches β1, in [0, 2^64): .004 as in PyTorch. Keras has 1; optax has
   * no momentum schedule, which is the limit of large numbers.
   * @default 4e-3
   */
  momentumDecay: number;
}

/** Options of `NAdam`: its hyperparameters, and the options of every optimizer. */
export interface NAdamOptions
  extends CommonOptions<NAdamHyperparameters>,
    Partial<NAdamHyperparameters> {}

const K = NAdamKernel.constants;

const algorithm: Algorithm<NAdamHyperparameters> = {
  ...ADAM_STATE,
  kernels: [NAdamKernel],
  scalars: { ...POWERS, momentumProduct: POWER },
  limit: limitMoments,
  prepare(scalars, values) {
    const { constants, step, own, lr, momentum } = scalars;
    writeMoments(K, scalars, values);
    advancePowers(scalars, values);
    const mu = momentumAt(momentum, values, step);
    const next = momentumAt(momentum, values, step + 1);
    const product = own[2] * mu;
    own[2] = product;
    constants[K.kg] = (lr * (1 - mu)) / (1 - product);
    constants[K.km] = (lr * next) / (1 - product * next);
    constants[K.s] = 1 / Math.sqrt(1 - own[1]);
    constants[K.eps] = values.eps;
    constants[K.delta] = 1 - lr * values.weightDecay;
  },
};

/** Returns μ_t. */
function momentumAt(
  beta1: number,
  { momentumDecay }: Readonly<NAdamHyperparameters>,
  step: number,
): number {
  return beta1 * (1 - 0.5 * pow(0.96, step * momentumDecay));
}

const nadam: OptimizerDeclaration<NAdamHyperparameters, NAdamOptions> = {
  name: 'nadam',
  fields: { ...ADAM_FIELDS, lr: learningRate(2e-3), momentumDecay: nonNegative(4e-3) },
  algorithm: () => algorithm,
};

/**
 * NAdam: with μ_t = β1·(1 - ½·0.96^(t·momentumDecay)),
 *
 *     θ ← θ - lr·[(1-μ_t)/(1-Πμ_{≤t})·g + μ_{t+1}/(1-Πμ_{≤t+1})·m]/(√v̂ + ε)
 *
 * Source: Dozat 2016, "Incorporating Nesterov Momentum into Adam", ICLR workshop.
 *
 * @example
 * const optimizer = new NAdam(await createRuntime(), { w: new Float32Array(10) }, { lr: 2e-3 });
 */
export class NAdam<Names extends string = string> extends Optimizer<
  NAdamHyperparameters,
  Names,
  NAdamOptions
> {
  /** @internal */
  static override readonly declaration = nadam;
}
