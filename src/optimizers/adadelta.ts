/** Adadelta. Its kernel is assembly/optimizers/adadelta.ts. */
import { AdadeltaKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import {
  COMPACT_STATE_FIELDS,
  type CompactStateOptions,
  fraction,
  learningRate,
  nonNegative,
  normLimit,
  positiveEpsilon,
} from './hyperparameters';
import { Optimizer } from './optimizer';

/** Hyperparameters of `Adadelta`. */
export interface AdadeltaHyperparameters extends CompactStateOptions {
  /**
   * Learning rate: a number in [0, 2^64), or a function of the step (1-based). 1 as in the paper
   * and PyTorch; Keras and TensorFlow.js have 0.001, with which Adadelta hardly moves.
   * @default 1
   */
  lr: LearningRate;
  /**
   * ρ, the averaging factor of both means, in [0, 1 - 2^-25): 0.9 as in PyTorch and optax. The
   * paper, Keras, TensorFlow.js and ConvNetJS have 0.95.
   * @default 0.9
   */
  rho: number;
  /**
   * ε, added under both roots, in [2^-126, 2^64). The size of the first step is proportional to √ε,
   * so 0 is refused: no weight would ever move. Keras and TensorFlow.js have 1e-7.
   * @default 1e-6
   */
  eps: number;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0
   */
  weightDecay: number;
  /**
   * Coupled L2: l2·θ is added to the gradient, as PyTorch's `weight_decay` does it here. A number
   * in [0, 2^64).
   * @default 0
   */
  l2: number;
}

/** Options of `Adadelta`: its hyperparameters, and what every optimizer takes. */
export interface AdadeltaOptions extends CommonOptions, Partial<AdadeltaHyperparameters> {}

const K = AdadeltaKernel.constants;

/** Steps that a tensor can count, as a power of two. */
const COUNTED_STEPS = 2 ** 31;

const algorithm: Algorithm<AdadeltaHyperparameters> = {
  kernels: [AdadeltaKernel],
  // The one that divides comes second: compact state never lets a second moment vanish.
  stateNames: ['acc_delta', 'square_avg'],
  squares: ['acc_delta', 'square_avg'],
  limit(scalars, { rho }) {
    // After T steps the mean of squared moves is at most T·max v, and a move is at most its root
    // by √(1/(1-ρ)).
    scalars.normLimit = normLimit(scalars.lr * Math.sqrt(COUNTED_STEPS / (1 - rho)), 1);
  },
  prepare({ constants, lr }, { rho, eps, weightDecay, l2 }) {
    constants[K.l2] = l2;
    constants[K.lr] = lr;
    constants[K.delta] = 1 - lr * weightDecay;
    constants[K.rho] = rho;
    constants[K.c] = 1 - rho;
    constants[K.eps] = eps;
  },
};

const adadelta: OptimizerDeclaration<AdadeltaHyperparameters, AdadeltaOptions> = {
  name: 'adadelta',
  fields: {
    lr: learningRate(1),
    rho: fraction(0.9),
    eps: positiveEpsilon(1e-6),
    weightDecay: nonNegative(0),
    l2: nonNegative(0),
    ...COMPACT_STATE_FIELDS,
  },
  algorithm: () => algorithm,
};

/**
 * Adadelta: the root of the mean squared move takes the place of a learning rate:
 *
 *     v ← ρ·v + (1-ρ)·g²;  u = √(d + ε)/√(v + ε)·g;  d ← ρ·d + (1-ρ)·u²;  θ ← θ - lr·u
 *
 * Source: Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method", arXiv 1212.5701.
 *
 * @example
 * const optimizer = new Adadelta(await createRuntime(), { w: new Float32Array(10) });
 */
export class Adadelta<Names extends string = string> extends Optimizer<
  AdadeltaHyperparameters,
  Names,
  AdadeltaOptions
> {
  /** @internal */
  static override readonly declaration = adadelta;
}
