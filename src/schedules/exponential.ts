import { pow } from '../math/pow';
import { checkOptions } from '../validate';
import { type ConfiguredSchedule, checkFactor, checkLr, createSchedule } from './schedule';

/** Options of `exponential`. */
export interface ExponentialOptions {
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Factor from one step to the next, in (0, 1]. */
  gamma: number;
}

/**
 * Multiplies the learning rate by the same factor at every step.
 *
 *     lr(t) = lr·gamma^(t - 1)
 *
 * Step 1 uses `lr` itself. The schedule has no state: it computes the power for each step, by
 * repeated squaring up to step 1075 and as e^((t - 1)·log gamma) after that. Both are the library's
 * own, so the bits are the same on every engine. The relative error is at most (t - 1)·2^-53 up to
 * step 1075; `math/pow.ts` gives the details.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = exponential({ lr: 0.01, gamma: 0.5 });
 * lr(1); // 0.01
 * lr(3); // 0.0025
 * @see torch.optim.lr_scheduler.ExponentialLR, which has this value at `last_epoch` = t - 1
 */
export function exponential(options: ExponentialOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'gamma']);
  const { lr, gamma } = options;
  checkLr('lr', lr);
  checkFactor('gamma', gamma);
  return createSchedule({ name: 'exponential', lr, gamma }, (step) => lr * pow(gamma, step - 1));
}
