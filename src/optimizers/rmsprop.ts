/** RMSProp. Its kernels are in assembly/optimizers/rmsprop.ts. */
import {
  RMSPropCenteredKernel,
  RMSPropCenteredMomentumKernel,
  RMSPropKernel,
  RMSPropMomentumKernel,
  RMSPropZeroEpsKernel,
} from '../../build/optimizer-kernels';
import type { LearningRate } from '../types';
import { checkBoolean } from '../validate';
import type { CommonOptions, OptimizerDeclaration } from './declaration';
import {
  epsilon,
  fraction,
  learningRate,
  leastDivisor,
  nonNegative,
  normLimit,
} from './hyperparameters';
import { Optimizer } from './optimizer';
import type { StepScalars } from './step-scalars';

/** Hyperparameters of `RMSProp`. */
export interface RMSPropHyperparameters {
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
  /** α, the averaging factor, in [0, 1 - 2^-25) (Keras: 0.9). @default 0.99 */
  alpha: number;
  /**
   * ε, added to the root as in PyTorch, or under it with `epsInSqrt`: 0 or a number in
   * [2^-126, 2^64). With 0, a coordinate whose v (or v - a²) is 0 in float32 does not move.
   * @default 1e-8
   */
  eps: number;
}

/** Options of `RMSProp`: its hyperparameters, options of its own, and those of every optimizer. */
export interface RMSPropOptions
  extends CommonOptions<RMSPropHyperparameters>,
    Partial<RMSPropHyperparameters> {
  /** μ, in [0, 1 - 2^-25). @default 0 */
  momentum?: number;
  /** Whether to subtract the square of the mean gradient. @default false */
  centered?: boolean;
  /**
   * Where ε is added: to the root, √v + ε, as in PyTorch (false), or under it, √(v + ε), as in
   * TensorFlow, Keras and optax (true). TensorFlow.js and Keras have `alpha: 0.9` and `eps: 1e-7`
   * besides.
   * @default false
   */
  epsInSqrt?: boolean;
}

/** Indices of the constants, the same in all forms; those with momentum have μ besides. */
const K = RMSPropMomentumKernel.constants;

/** The kernels and state arrays of each form: v, momentum, mean gradient. */
function formOf(momentum: boolean, centered: boolean) {
  const stateNames = ['square_avg'];
  if (momentum) stateNames.push('momentum_buffer');
  if (centered) stateNames.push('grad_avg');
  if (momentum && centered) return { kernels: [RMSPropCenteredMomentumKernel], stateNames };
  if (momentum) return { kernels: [RMSPropMomentumKernel], stateNames };
  if (centered) return { kernels: [RMSPropCenteredKernel], stateNames };
  return {
    kernels: [RMSPropKernel, RMSPropZeroEpsKernel],
    kernelOf: ({ eps }: Readonly<RMSPropHyperparameters>) =>
      eps === 0 ? RMSPropZeroEpsKernel : RMSPropKernel,
    stateNames,
  };
}

const rmsprop: OptimizerDeclaration<RMSPropHyperparameters, RMSPropOptions> = {
  name: 'rmsprop',
  fields: {
    lr: learningRate(1e-2),
    weightDecay: nonNegative(0),
    l2: nonNegative(0),
    alpha: fraction(0.99),
    eps: epsilon(1e-8),
  },
  options: ['momentum', 'centered', 'epsInSqrt'],
  algorithm(options) {
    const momentum = fraction(0).check('momentum', options.momentum ?? 0, '');
    const centered = checkBoolean('centered', options.centered ?? false);
    const epsInSqrt = checkBoolean('epsInSqrt', options.epsInSqrt ?? false);
    return {
      ...formOf(momentum > 0, centered),
      squares: ['square_avg'],
      options: { momentum, centered, epsInSqrt },
      ...(momentum > 0 && {
        writeMomentum(scalars: StepScalars) {
          scalars.momentum = momentum;
        },
      }),
      limit(scalars, { eps }) {
        // v - a² may vanish beside any gradient; v alone holds a share of its square.
        const divisor = centered ? leastDivisor(epsInSqrt ? Math.sqrt(eps) : eps) : 1;
        const kept = momentum > 0 ? scalars.momentum : 0;
        scalars.normLimit = normLimit(Math.max(1, scalars.lr) / (1 - kept), divisor);
      },
      prepare({ constants, lr, momentum: mu }, { l2, weightDecay, alpha, eps }) {
        constants[K.l2] = l2;
        constants[K.lr] = lr;
        constants[K.delta] = 1 - lr * weightDecay;
        constants[K.alpha] = alpha;
        constants[K.c] = 1 - alpha;
        constants[K.eps] = epsInSqrt ? 0 : eps;
        constants[K.epsIn] = epsInSqrt ? eps : 0;
        constants[K.mu] = mu;
      },
    };
  },
};

/**
 * RMSProp as in PyTorch, optionally centred (a is the mean gradient) and with momentum:
 *
 *     v ← α·v + (1-α)·g²;  a ← α·a + (1-α)·g;  u = g/(√max(v - a², 0) + ε)
 *     m ← μ·m + u;  θ ← θ - lr·m
 *
 * With `epsInSqrt`, u = g/√(max(v - a², 0) + ε), as TensorFlow and Keras have it.
 *
 * Sources: Tieleman & Hinton 2012, lecture 6.5; Graves 2013, arXiv 1308.0850 (centred).
 *
 * @example
 * const optimizer = new RMSProp(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-2 });
 */
export class RMSProp<Names extends string = string> extends Optimizer<
  RMSPropHyperparameters,
  Names,
  RMSPropOptions
> {
  /** @internal */
  static override readonly declaration = rmsprop;
}
