import { pow } from '../math/pow';
import { checkNumber, checkOptions } from '../validate';
import { blend, type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `polynomial`. */
export interface PolynomialOptions {
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Number of steps until `endLr` is reached, an integer ≥ 1. */
  totalSteps: number;
  /**
   * Exponent, finite, > 0. 1 gives a straight line; with larger exponents the rate changes early,
   * with smaller ones late.
   */
  power: number;
  /**
   * Learning rate after `totalSteps`, in [0, 2^64).
   * @default 0
   */
  endLr?: number;
}

/**
 * Goes from `lr` to `endLr` along a power of the remaining steps.
 *
 *     lr(t) = endLr + (lr - endLr)·(1 - (t - 1)/totalSteps)^power   for t ≤ totalSteps
 *     lr(t) = endLr after that
 *
 * Step 1 uses `lr` itself. The rate reaches `endLr` at step totalSteps + 1 at the latest and stays
 * there. The power is the library's own, so the bits are the same on every engine.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = polynomial({ lr: 0.01, totalSteps: 100, power: 2 });
 * lr(1); // 0.01
 * lr(51); // 0.0025
 * lr(101); // 0
 * @see torch.optim.lr_scheduler.PolynomialLR and optax.polynomial_schedule, which count steps from
 * 0
 */
export function polynomial(options: PolynomialOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'totalSteps', 'power', 'endLr']);
  const { lr, totalSteps, power, endLr = 0 } = options;
  checkLr('lr', lr);
  checkSteps('totalSteps', totalSteps);
  checkNumber('power', power, '(0, ∞)', (x) => x > 0);
  checkLr('endLr', endLr);
  return createSchedule({ name: 'polynomial', lr, totalSteps, power, endLr }, (step) => {
    if (step > totalSteps) return endLr;
    return blend(lr, endLr, pow(1 - (step - 1) / totalSteps, power));
  });
}
