import { cos } from '../math/cos';
import { checkNumber, checkOptions } from '../validate';
import { blend, type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `cosine`. */
export interface CosineOptions {
  /** The learning rate of step 1: in [0, 2^64). */
  lr: number;
  /** Steps until `endLr` is reached: a whole number ≥ 1. */
  totalSteps: number;
  /**
   * The learning rate after `totalSteps`, in [0, lr].
   * @default 0
   */
  endLr?: number;
}

/**
 * Falls from `lr` to `endLr` along half a cosine.
 *
 *     lr(t) = endLr + (lr - endLr)·½(1 + cos(π·(t - 1)/totalSteps)) for t ≤ totalSteps, endLr after it
 *
 * Step 1 uses `lr` itself. The last step still moves: lr(totalSteps) is a little above `endLr`,
 * which is first reached at step totalSteps + 1 and kept. The cosine is the library's own, so the
 * bits are the same on every engine.
 *
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = cosine({ lr: 0.01, totalSteps: 100 });
 * lr(1); // 0.01
 * lr(51); // 0.005
 * lr(101); // 0
 * @see Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts" (without
 * the restarts)
 */
export function cosine(options: CosineOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'totalSteps', 'endLr']);
  const { lr, totalSteps, endLr = 0 } = options;
  checkLr('lr', lr);
  checkSteps('totalSteps', totalSteps);
  checkNumber('endLr', endLr, `[0, lr = ${lr}]`, (x) => x >= 0 && x <= lr);
  return createSchedule({ name: 'cosine', lr, totalSteps, endLr }, (step) => {
    if (step > totalSteps) return endLr;
    return blend(lr, endLr, halfCosine(step - 1, totalSteps));
  });
}

/** ½(1 + cos(π·k/n)): falls from 1 at k = 0 to 0 at k = n, flat at both. */
export function halfCosine(k: number, n: number): number {
  return 0.5 * (1 + cos((Math.PI * k) / n));
}
