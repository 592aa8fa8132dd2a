/**
 * What the optimizers with Adam's two moments have in common: their hyperparameters, and the first
 * constants of their rules.
 */
import type { LearningRate } from '../types';
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
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface AdamHyperparameters extends CompactStateOptions {
  /** A number in [0, 2^64), or a function of the step (1-based). @default 1e-3 */
  lr: LearningRate;
  /** β1 and β2, each in [0, 1 - 2^-25): float32 rounds greater ones to 1. @default [0.9, 0.999] */
  betas: Betas;
  /**
   * ε, added to √v̂, as in PyTorch (Keras adds it to √v before the bias correction, by default
   * 1e-7): 0 or a number in [2^-126, 2^64). With 0, a coordinate whose v is 0 in float32 does not
   * move. @default 1e-8
   */
  eps: number;
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0 (AdamW: 0.01)
   */
  weightDecay: number;
  /**
   * Coupled L2: l2·θ is added to the gradient, and so goes through the moments. PyTorch's
   * `weight_decay` of all optimizers but AdamW is this. A number in [0, 2^64). @default 0
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

/** State names as PyTorch has them. */
export const ADAM_STATE = ['exp_avg', 'exp_avg_sq'];
/** Which of them is never negative. */
export const ADAM_SQUARES = ['exp_avg_sq'];

/** k1…k5, after r, which the kernels write: l2, β1, 1-β1, β2, 1-β2. */
export function writeMoments(
  { constants }: StepScalars,
  { betas, l2 }: Readonly<Pick<AdamHyperparameters, 'betas' | 'l2'>>,
): void {
  constants[1] = l2;
  constants[2] = betas[0];
  constants[3] = 1 - betas[0];
  constants[4] = betas[1];
  constants[5] = 1 - betas[1];
}

/** Refuses rates beside ε, and gradients by their L1 norm, that could make the update overflow. */
export function limitMoments(
  scalars: StepScalars,
  { betas: [beta1, beta2], eps }: Readonly<Pick<AdamHyperparameters, 'betas' | 'eps'>>,
): void {
  const { lr } = scalars;
  const k = lr / (1 - beta1); // of the first step, the greatest
  checkQuotient(lr, k, eps);
  // Only with β1² < β2 does m̂/√v̂ have a bound.
  scalars.normLimit = normLimit(k, beta1 * beta1 < beta2 ? 1 : leastDivisor(eps));
}

/** The constants of Adam's own rule: those, then lr/(1-β1^t), 1/√(1-β2^t), ε, δ. */
export function writeAdam(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
  const { constants, lr } = scalars;
  writeMoments(scalars, values);
  constants[6] = lr / (1 - scalars.beta1Power);
  constants[7] = 1 / Math.sqrt(1 - scalars.beta2Power);
  constants[8] = values.eps;
  constants[9] = 1 - lr * values.weightDecay;
}
