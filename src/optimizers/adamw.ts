/** AdamW: Adam with decoupled weight decay, 0.01 by default. */
import { ADAM } from './adam';
import { ADAM_FIELDS, type AdamHyperparameters } from './adam-family';
import type { CommonOptions, OptimizerDeclaration } from './declaration';
import { nonNegative } from './hyperparameters';
import { Optimizer } from './optimizer';

/** Hyperparameters of `AdamW`. */
export interface AdamWHyperparameters extends AdamHyperparameters {
  /**
   * Decoupled weight decay λ: θ ← θ·(1 - lr·λ) before the update. A number in [0, 2^64).
   * @default 0.01
   */
  weightDecay: number;
}

/** Options of `AdamW`: its hyperparameters, and the options of every optimizer. */
export interface AdamWOptions
  extends CommonOptions<AdamWHyperparameters>,
    Partial<AdamWHyperparameters> {}

const adamw: OptimizerDeclaration<AdamWHyperparameters, AdamWOptions> = {
  name: 'adamw',
  fields: { ...ADAM_FIELDS, weightDecay: nonNegative(0.01) },
  algorithm: () => ADAM,
};

/**
 * AdamW:
 *
 *     θ ← θ·(1 - lr·λ), then as Adam
 *
 * Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", arXiv 1711.05101.
 *
 * @example
 * const optimizer = new AdamW(await createRuntime(), { w: new Float32Array(10) }, { lr: 1e-3 });
 */
export class AdamW<Names extends string = string> extends Optimizer<
  AdamWHyperparameters,
  Names,
  AdamWOptions
> {
  /** @internal */
  static override readonly declaration = adamw;
}
