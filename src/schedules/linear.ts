import { checkOptions } from '../validate';
import { blend, type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `linear`. */
export interface LinearOptions {
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Number of steps until `endLr` is reached, an integer ≥ 1. */
  totalSteps: number;
  /**
   * Learning rate after `totalSteps`, in [0, 2^64); it may be above `lr`.
   * @default 0
   */
  endLr?: number;
}

/**
 * Goes from `lr` to `endLr` in a straight line.
 *
 *     lr(t) = endLr + (lr - endLr)·(1 - (t - 1)/totalSteps)   for t ≤ totalSteps
 *     lr(t) = endLr after that
 *
 * Step 1 uses `lr` itself. The rate reaches `endLr` at step totalSteps + 1 and stays there.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = linear({ lr: 0.01, totalSteps: 100 });
 * lr(1); // 0.01
 * lr(51); // 0.005
 * lr(101); // 0
 * @see optax.linear_schedule, which has at t - 1 the value that this schedule has at t
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
