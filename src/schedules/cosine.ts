import { cos } from '../math/cos';
import { checkNumber, checkOptions } from '../validate';
import { blend, type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `cosine`. */
export interface CosineOptions {
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Number of steps until `endLr` is reached, an integer ≥ 1. */
  totalSteps: number;
  /**
   * Learning rate after `totalSteps`, in [0, lr].
   * @default 0
   */
  endLr?: number;
}

/**
 * Falls from `lr` to `endLr` along half a cosine.
 *
 *     lr(t) = endLr + (lr - endLr)·½(1 + cos(π·(t - 1)/totalSteps))   for t ≤ totalSteps
 *     lr(t) = endLr after that
 *
 * Step 1 uses `lr` itself. lr(totalSteps) is still a little above `endLr`; the rate reaches `endLr`
 * at step totalSteps + 1 and stays there. The cosine is the library's own, so the bits are the same
 * on every engine.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = cosine({ lr: 0.01, totalSteps: 100 });
 * lr(1); // 0.01
 * lr(51); // 0.005
 * lr(101); // 0
 * @see Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts" (without
 *   the restarts)
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

/** Returns ½(1 + cos(π·k/n)), which falls from 1 at k = 0 to 0 at k = n. */
export function halfCosine(k: number, n: number): number {
  return 0.5 * (1 + cos((Math.PI * k) / n));
}
