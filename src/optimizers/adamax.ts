/** AdaMax. Its kernel is assembly/optimizers/adamax.ts. */
import { AdamaxKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import { ADAM_FIELDS, type AdamHyperparameters, writeBeta1 } from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { learningRate, MOVE_LIMIT } from './hyperparameters';
import { Optimizer } from './optimizer';
import { POWER } from './powers';

/** Hyperparameters of `Adamax`. */
export interface AdamaxHyperparameters extends AdamHyperparameters {
  /**
   * Learning rate: a number in [0, 2^64), or a function of the step (1-based): 2e-3 as in the paper
   * and PyTorch. Keras and TensorFlow.js have 1e-3.
   * @default 2e-3
   */
  lr: LearningRate;
  /**
   * ε, added to |g| as in PyTorch (Keras and TensorFlow.js add it to u, by default 1e-7): 0 or a
   * number in [2^-126, 2^64). With 0, a coordinate that never had a gradient does not move.
   * @default 1e-8
   */
  eps: number;
}

/** Options of `Adamax`: its hyperparameters, and what every optimizer takes. */
export interface AdamaxOptions extends CommonOptions, Partial<AdamaxHyperparameters> {}

const K = AdamaxKernel.constants;
/** The least that u can be beside 0. */
const SMALLEST = 2 ** -149;

const algorithm: Algorithm<AdamaxHyperparameters> = {
  kernels: [AdamaxKernel],
  stateNames: ['exp_avg', 'exp_inf'],
  squares: ['exp_inf'],
  momentRatio: {
    first: 'exp_avg',
    second: 'exp_inf',
    linear: true,
    most: 2 ** 110,
    least: SMALLEST,
  },
  scalars: { beta1Power: POWER },
  writeMomentum: writeBeta1,
  limit(scalars, { betas: [, beta2], eps }) {
    const { lr, momentum: beta1 } = scalars;
    // Nothing is squared. Only with β1 < β2 does m/u have a bound.
    const rate = Math.max(lr / (1 - beta1), 1);
    const divisor = beta1 < beta2 ? 1 : Math.max(eps, SMALLEST);
    scalars.normLimit = (MOVE_LIMIT * divisor) / rate;
  },
  prepare({ constants, lr, momentum: beta1, own }, { betas, eps, weightDecay, l2 }) {
    own[0] *= beta1;
    constants[K.l2] = l2;
    constants[K.beta1] = beta1;
    constants[K.c1] = 1 - beta1;
    constants[K.beta2] = betas[1];
    constants[K.k] = lr / (1 - own[0]);
    constants[K.eps] = eps;
    constants[K.delta] = 1 - lr * weightDecay;
  },
};

const adamax: OptimizerDeclaration<AdamaxHyperparameters, AdamaxOptions> = {
  name: 'adamax',
  fields: { ...ADAM_FIELDS, lr: learningRate(2e-3) },
  algorithm: () => algorithm,
};

/**
 * AdaMax: Adam with the infinity norm of past gradients, which needs no bias correction:
 *
 *     u ← max(β2·u, |g| + ε);  θ ← θ - lr·m̂/u
 *
 * Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", section 7.1, arXiv
 * 1412.6980.
 *
 * @example
 * const optimizer = new Adamax(await createRuntime(), { w: new Float32Array(10) }, { lr: 2e-3 });
 */
export class Adamax<Names extends string = string> extends Optimizer<
  AdamaxHyperparameters,
  Names,
  AdamaxOptions
> {
  /** @internal */
  static override readonly declaration = adamax;
}
