/** Adagrad. Its kernel is assembly/optimizers/adagrad.ts. */
import { AdagradKernel, AdagradZeroEpsKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import type { CommonOptions, OptimizerDeclaration } from './declaration';
import { checkQuotient, epsilon, learningRate, nonNegative, normLimit } from './hyperparameters';
import { Optimizer } from './optimizer';
import { floatsOf } from './state-array';

/** Hyperparameters of `Adagrad`. */
export interface AdagradHyperparameters {
  /** Learning rate: a number in [0, 2^64), or a function of the step (1-based). @default 1e-2 */
  lr: LearningRate;
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
  /**
   * ε, added to √v: 0 or a number in [2^-126, 2^64). With 0, a coordinate whose v is 0 in float32
   * does not move.
   * @default 1e-10
   */
  eps: number;
}

/** Options of `Adagrad`: its hyperparameters, options of its own, and those of every optimizer. */
export interface AdagradOptions
  extends CommonOptions<AdagradHyperparameters>,
    Partial<AdagradHyperparameters> {
  /** Decay of the learning rate, in [0, 2^64). @default 0 */
  lrDecay?: number;
  /** Initial value of v, as in PyTorch and optax (Keras: 0.1). In [0, 2^64). @default 0 */
  initialAccumulator?: number;
}

const K = AdagradKernel.constants;
const adagrad: OptimizerDeclaration<AdagradHyperparameters, AdagradOptions> = {
  name: 'adagrad',
  fields: {
    lr: learningRate(1e-2),
    weightDecay: nonNegative(0),
    l2: nonNegative(0),
    eps: epsilon(1e-10),
  },
  options: ['lrDecay', 'initialAccumulator'],
  algorithm(options) {
    const check = (name: 'lrDecay' | 'initialAccumulator') =>
      nonNegative(0).check(name, options[name] ?? 0, '');
    const lrDecay = check('lrDecay');
    const initialAccumulator = check('initialAccumulator');
    return {
      kernels: [AdagradKernel, AdagradZeroEpsKernel],
      kernelOf: ({ eps }) => (eps === 0 ? AdagradZeroEpsKernel : AdagradKernel),
      stateNames: ['sum'],
      squares: ['sum'],
      options: { lrDecay },
      initialise({ states: [sum] }) {
        floatsOf(sum).fill(initialAccumulator);
      },
      limit(scalars, { eps }) {
        checkQuotient(scalars.lr, scalars.lr, eps);
        scalars.normLimit = normLimit(scalars.lr, 1);
      },
      prepare({ constants, step, lr }, values) {
        constants[K.l2] = values.l2;
        constants[K.lr] = lr / (1 + (step - 1) * lrDecay);
        constants[K.delta] = 1 - lr * values.weightDecay;
        constants[K.eps] = values.eps;
      },
    };
  },
};

/**
 * Adagrad:
 *
 *     v ← v + g²;  θ ← θ - lr/(1 + (t-1)·lrDecay)·g/(√v + ε)
 *
 * Source: Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods".
 *
 * @example
 * const optimizer = new Adagrad(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class Adagrad<Names extends string = string> extends Optimizer<
  AdagradHyperparameters,
  Names,
  AdagradOptions
> {
  /** @internal */
  static override readonly declaration = adagrad;
}
