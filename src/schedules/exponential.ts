import { pow } from '../math/pow';
import { checkOptions } from '../validate';
import { type ConfiguredSchedule, checkFactor, checkLr, createSchedule } from './schedule';

/** Options of `exponential`. */
export interface ExponentialOptions {
  /** The learning rate of step 1: in [0, 2^64). */
  lr: number;
  /** The factor from one step to the next, in (0, 1]. */
  gamma: number;
}

/**
 * Shrinks by the same factor at every step.
 *
 *     lr(t) = lr·gamma^(t - 1)
 *
 * Step 1 uses `lr` itself. No state: the power is computed anew, multiplied out by repeated
 * squaring up to step 1075 and as e^((t - 1)·log gamma) from there, both the library's own, so the
 * bits are the same on every engine. `math/pow.ts` states the error, a relative (t - 1)·2^-53 at
 * most up to step 1075.
 *
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = exponential({ lr: 0.01, gamma: 0.5 });
 * lr(1); // 0.01
 * lr(3); // 0.0025
 * @see torch.optim.lr_scheduler.ExponentialLR: ours at t is its value at `last_epoch` = t - 1
 */
export function exponential(options: ExponentialOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'gamma']);
  const { lr, gamma } = options;
  checkLr('lr', lr);
  checkFactor('gamma', gamma);
  return createSchedule({ name: 'exponential', lr, gamma }, (step) => lr * pow(gamma, step - 1));
}
