/** Lion. Its kernel is assembly/optimizers/lion.ts. */
import { LionKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import { writeBeta1, writeMoments } from './adam-family';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { averagingFactors, type Betas, learningRate, nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';

/** Hyperparameters of `Lion`. */
export interface LionHyperparameters {
  /** Learning rate: a number in [0, 2^64), or a function of the step (1-based). @default 1e-4 */
  lr: LearningRate;
  /** β1 and β2, each in [0, 1 - 2^-25): float32 rounds greater ones to 1. @default [0.9, 0.99] */
  readonly betas: Betas;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0
   */
  weightDecay: number;
  /** Coupled L2: l2·θ is added to the gradient. A number in [0, 2^64). @default 0 */
  l2: number;
}

/** Options of `Lion`: its hyperparameters, and the options of every optimizer. */
export interface LionOptions
  extends CommonOptions<LionHyperparameters>,
    Partial<LionHyperparameters> {}

const K = LionKernel.constants;

const algorithm: Algorithm<LionHyperparameters> = {
  kernels: [LionKernel],
  stateNames: ['exp_avg'],
  writeMomentum: writeBeta1,
  limit(scalars) {
    // The momentum is a mean of gradients: rounded up, it must stay within float32.
    scalars.normLimit = 2 ** 127;
  },
  prepare(scalars, values) {
    const { constants, lr } = scalars;
    writeMoments(K, scalars, values);
    constants[K.lr] = lr;
    constants[K.delta] = 1 - lr * values.weightDecay;
  },
};

const lion: OptimizerDeclaration<LionHyperparameters, LionOptions> = {
  name: 'lion',
  fields: {
    lr: learningRate(1e-4),
    betas: averagingFactors([0.9, 0.99]),
    weightDecay: nonNegative(0),
    l2: nonNegative(0),
  },
  algorithm: () => algorithm,
};

/**
 * Lion: steps along the sign of an interpolated momentum:
 *
 *     c = β1·m + (1-β1)·g;  m ← β2·m + (1-β2)·g;  θ ← θ - lr·(sign(c) + λ·θ)
 *
 * Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675.
 *
 * @example
 * const optimizer = new Lion(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-4 });
 */
export class Lion<Names extends string = string> extends Optimizer<
  LionHyperparameters,
  Names,
  LionOptions
> {
  /** @internal */
  static override readonly declaration = lion;
}
