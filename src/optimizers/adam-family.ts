/**
 * What the optimizers with Adam's two moments have in common: hyperparameters, the constants that
 * their kernels begin with, and the bounds of their steps.
 */
import type { LearningRate } from '../types';
import type { MomentRatio } from './declaration';
import {
  averagingFactors,
  type Betas,
  COMPACT_STATE_FIELDS,
  type CompactStateOptions,
  checkQuotient,
  epsilon,
  type Fields,
  learningRate,
  leastDivisor,
  nonNegative,
  normLimit,
} from './hyperparameters';
import { advancePowers } from './powers';
import type { StepScalars } from './step-scalars';

/** Hyperparameters of Adam and of the optimizers that only change its update. */
export interface AdamHyperparameters extends CompactStateOptions {
  /** Learning rate: a number in [0, 2^64), or a function of the step (1-based). @default 1e-3 */
  lr: LearningRate;
  /** β1 and β2, each in [0, 1 - 2^-25): float32 rounds greater ones to 1. @default [0.9, 0.999] */
  readonly betas: Betas;
  /**
   * ε, added to √v̂ as in PyTorch (Keras adds it to √v before the bias correction, by default
   * 1e-7): 0 or a number in [2^-126, 2^64). With 0, a coordinate whose v is 0 in float32 does not
   * move.
   * @default 1e-8
   */
  eps: number;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0
   */
  weightDecay: number;
  /**
   * Coupled L2: l2·θ is added to the gradient, and so goes through the moments. This is PyTorch's
   * `weight_decay` of all optimizers but AdamW. A number in [0, 2^64).
   * @default 0
   */
  l2: number;
}

export const ADAM_FIELDS: Fields<AdamHyperparameters> = {
  lr: learningRate(1e-3),
  betas: averagingFactors([0.9, 0.999]),
  eps: epsilon(1e-8),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
  ...COMPACT_STATE_FIELDS,
};

/** State arrays, named as in PyTorch; the second is never negative. */
export const ADAM_STATE = {
  stateNames: ['exp_avg', 'exp_avg_sq'],
  squares: ['exp_avg_sq'],
  momentRatio: momentRatio('exp_avg_sq'),
  writeMomentum: writeBeta1,
};

/** Takes β1 for the momentum, as PyTorch's schedules do. */
export function writeBeta1(scalars: StepScalars, { betas }: { readonly betas: Betas }): void {
  scalars.momentum = betas[0];
}

/** Returns the bounds of a first moment beside this second one: far above what gradients reach. */
export function momentRatio(second: string): MomentRatio {
  return { first: 'exp_avg', second, most: 2 ** 110, least: 2 ** -75 };
}

/** The constants that all kernels of the family have. */
interface MomentConstants {
  readonly l2: number;
  readonly beta1: number;
  readonly c1: number;
  readonly beta2: number;
  readonly c2: number;
}

/** Writes l2, β1, 1-β1, β2 and 1-β2 where the kernel has them. */
export function writeMoments(
  k: MomentConstants,
  { constants, momentum }: StepScalars,
  { betas, l2 }: Readonly<Pick<AdamHyperparameters, 'betas' | 'l2'>>,
): void {
  constants[k.l2] = l2;
  constants[k.beta1] = momentum;
  constants[k.c1] = 1 - momentum;
  constants[k.beta2] = betas[1];
  constants[k.c2] = 1 - betas[1];
}

/**
 * Refuses rates beside ε, and gradients by their L1 norm, that could make the update overflow.
 */
export function limitMoments(
  scalars: StepScalars,
  { betas: [, beta2], eps }: Readonly<Pick<AdamHyperparameters, 'betas' | 'eps'>>,
): void {
  const { lr, momentum: beta1 } = scalars;
  const k = lr / (1 - beta1); // of the first step, the greatest
  checkQuotient(lr, k, eps);
  // Only with β1² < β2 does m̂/√v̂ have a bound.
  scalars.normLimit = normLimit(k, beta1 * beta1 < beta2 ? 1 : leastDivisor(eps));
}

/** The constants of Adam's own kernel. */
interface AdamConstants extends MomentConstants {
  readonly k: number;
  readonly s: number;
  readonly eps: number;
  readonly delta: number;
}

/** Writes all constants of Adam's kernel: k = lr/(1-β1^t), s = 1/√(1-β2^t), ε, δ = 1 - lr·λ. */
export function writeAdam(
  k: AdamConstants,
  scalars: StepScalars,
  values: Readonly<Pick<AdamHyperparameters, 'betas' | 'eps' | 'weightDecay' | 'l2'>>,
): void {
  const { constants, lr, own } = scalars;
  writeMoments(k, scalars, values);
  advancePowers(scalars, values);
  constants[k.k] = lr / (1 - own[0]);
  constants[k.s] = 1 / Math.sqrt(1 - own[1]);
  constants[k.eps] = values.eps;
  constants[k.delta] = 1 - lr * values.weightDecay;
}
