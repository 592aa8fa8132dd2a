import { checkOptions } from '../validate';
import { blend, type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `linear`. */
export interface LinearOptions {
  /** The learning rate of step 1: in [0, 2^64). */
  lr: number;
  /** Steps until `endLr` is reached: a whole number ≥ 1. */
  totalSteps: number;
  /**
   * The learning rate after `totalSteps`: in [0, 2^64); above `lr` it is a ramp up.
   * @default 0
   */
  endLr?: number;
}

/**
 * Goes from `lr` to `endLr` in a straight line.
 *
 *     lr(t) = endLr + (lr - endLr)·(1 - (t - 1)/totalSteps) for t ≤ totalSteps, endLr after it
 *
 * Step 1 uses `lr` itself; `endLr` is first reached at step totalSteps + 1 and kept.
 *
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = linear({ lr: 0.01, totalSteps: 100 });
 * lr(1); // 0.01
 * lr(51); // 0.005
 * lr(101); // 0
 * @see optax.linear_schedule, which counts steps from 0: ours at t is its value at t - 1
 */
export function linear(options: LinearOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'totalSteps', 'endLr']);
  const { lr, totalSteps, endLr = 0 } = options;
  checkLr('lr', lr);
  checkSteps('totalSteps', totalSteps);
  checkLr('endLr', endLr);
  return createSchedule({ name: 'linear', lr, totalSteps, endLr }, (step) => {
    if (step > totalSteps) return endLr;
    return blend(lr, endLr, 1 - (step - 1) / totalSteps);
  });
}
