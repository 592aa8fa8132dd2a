/** Stochastic gradient descent. Its kernels are in assembly/optimizers/sgd.ts. */
import { SGDKernel, SGDMomentumKernel } from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import { checkBoolean, fail } from '../validate';
import type { Algorithm, CommonOptions, OptimizerDeclaration } from './declaration';
import { fraction, learningRate, MOVE_LIMIT, nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';

/** Hyperparameters of `SGD`. */
export interface SGDHyperparameters {
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
}

/** Options of `SGD`: its hyperparameters, options of its own, and those of every optimizer. */
export interface SGDOptions extends CommonOptions<SGDHyperparameters>, Partial<SGDHyperparameters> {
  /** μ, in [0, 1 - 2^-25). Without momentum no state is kept. @default 0 */
  momentum?: number;
  /** Share of each gradient that is kept out of the momentum, in [0, 1 - 2^-25). @default 0 */
  dampening?: number;
  /** Whether to use Nesterov's form, which needs momentum and no dampening. @default false */
  nesterov?: boolean;
}

const sgd: OptimizerDeclaration<SGDHyperparameters, SGDOptions> = {
  name: 'sgd',
  fields: { lr: learningRate(1e-2), weightDecay: nonNegative(0), l2: nonNegative(0) },
  options: ['momentum', 'dampening', 'nesterov'],
  algorithm(options) {
    const momentum = fraction(0).check('momentum', options.momentum ?? 0, '');
    const dampening = fraction(0).check('dampening', options.dampening ?? 0, '');
    const nesterov = checkBoolean('nesterov', options.nesterov ?? false);
    if (nesterov && momentum === 0) fail('momentum', 'a number in (0, 1) with nesterov', momentum);
    if (nesterov && dampening !== 0) fail('dampening', '0 with nesterov', dampening);
    const fixed = { momentum, dampening, nesterov };
    return momentum === 0 ? withoutMomentum(fixed) : alongMomentum(fixed);
  },
};

/** The options of SGD that hold for all groups. */
interface FixedOptions {
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
}

function withoutMomentum(options: FixedOptions): Algorithm<SGDHyperparameters> {
  const K = SGDKernel.constants;
  return {
    kernels: [SGDKernel],
    stateNames: [],
    options: { ...options },
    limit(scalars) {
      scalars.normLimit = MOVE_LIMIT / Math.max(scalars.lr, 2 ** -126);
    },
    prepare({ constants, lr }, { l2, weightDecay }) {
      constants[K.l2] = l2;
      constants[K.lr] = lr;
      constants[K.delta] = 1 - lr * weightDecay;
    },
  };
}

function alongMomentum(options: FixedOptions): Algorithm<SGDHyperparameters> {
  const K = SGDMomentumKernel.constants;
  const { momentum, dampening, nesterov } = options;
  return {
    kernels: [SGDMomentumKernel],
    stateNames: ['momentum_buffer'],
    options: { ...options },
    writeMomentum(scalars) {
      scalars.momentum = momentum;
    },
    limit(scalars) {
      // Neither the momentum, a sum of at most 1/(1-μ) gradients, nor a step along it may come near
      // the end of float32.
      const rate = Math.max(1, 2 * scalars.lr) / (1 - scalars.momentum);
      scalars.normLimit = MOVE_LIMIT / Math.max(rate, 2 ** -126);
    },
    prepare({ constants, step, lr, momentum: mu }, { l2, weightDecay }) {
      constants[K.l2] = l2;
      constants[K.lr] = lr;
      constants[K.delta] = 1 - lr * weightDecay;
      constants[K.mu] = mu;
      constants[K.c] = step === 1 ? 1 : 1 - dampening;
      constants[K.a] = nesterov ? 1 : 0;
      constants[K.b] = nesterov ? mu : 1;
    },
  };
}

/**
 * Stochastic gradient descent, optionally with momentum as in PyTorch (the first step takes the
 * gradient undamped):
 *
 *     m ← μ·m + (1 - dampening)·g;  θ ← θ - lr·m, or with Nesterov's form θ ← θ - lr·(g + μ·m)
 *
 * Sources: Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum in
 * deep learning".
 *
 * @example
 * const optimizer = new SGD(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class SGD<Names extends string = string> extends Optimizer<
  SGDHyperparameters,
  Names,
  SGDOptions
> {
  /** @internal */
  static override readonly declaration = sgd;
}
