/** What the optimizers with Adam's two moments have in common: their hyperparameters, and the first constants of their rules. */
import type { LearningRate } from '../types';
import {
  averagingFactors,
  type Betas,
  COMPACT_STATE_FIELDS,
  type CompactStateOptions,
  type Fields,
  learningRate,
  nonNegative,
} from './hyperparameters';
import type { StepScalars } from './step-table';

/** What a group may set for itself. */
export interface AdamHyperparameters extends CompactStateOptions {
  /** A number in [0, ∞), or a function of the step (1-based). @default 1e-3 */
  lr: LearningRate;
  /** β1 and β2, each in [0, 1). @default [0.9, 0.999] */
  betas: Betas;
  /** ε, added to √v̂. @default 1e-8 */
  eps: number;
  /** Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. @default 0 (AdamW: 0.01) */
  weightDecay: number;
  /** Coupled L2: l2·θ is added to the gradient. @default 0 */
  l2: number;
}

export const ADAM_FIELDS: Fields<AdamHyperparameters> = {
  lr: learningRate(1e-3),
  betas: averagingFactors([0.9, 0.999]),
  eps: nonNegative(1e-8),
  weightDecay: nonNegative(0),
  l2: nonNegative(0),
  ...COMPACT_STATE_FIELDS,
};

/** State names as PyTorch has them. */
export const ADAM_STATE = ['exp_avg', 'exp_avg_sq'];

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

/** The constants of Adam's own rule: those, then lr/(1-β1^t), 1/√(1-β2^t), ε, δ. */
export function writeAdam(scalars: StepScalars, values: Readonly<AdamHyperparameters>): void {
  const { constants, lr } = scalars;
  writeMoments(scalars, values);
  constants[6] = lr / (1 - scalars.beta1Power);
  constants[7] = 1 / Math.sqrt(1 - scalars.beta2Power);
  constants[8] = values.eps;
  constants[9] = 1 - lr * values.weightDecay;
}
