import { checkOptions } from '../validate';
import { type ConfiguredSchedule, checkLr, checkSteps, createSchedule } from './schedule';

/** Options of `inverseSqrt`. */
export interface InverseSqrtOptions {
  /** Largest learning rate, at step `warmupSteps`, in [0, 2^64). */
  lr: number;
  /**
   * Step at which the rate reaches `lr`, in a straight line from 0 at "step 0": an integer ≥ 1. 1
   * means no warm-up.
   * @default 1
   */
  warmupSteps?: number;
}

/**
 * Falls with the inverse square root of the step, after a linear warm-up.
 *
 *     lr(t) = lr·t/warmupSteps for t < warmupSteps, lr/√(t/warmupSteps) from there
 *
 * Without warm-up this is lr/√t, the same bits as a constant `lr` with AdaL's
 * `decay: 'inverse-sqrt'`. Use only one of the two: together they give lr/t.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = inverseSqrt({ lr: 0.01, warmupSteps: 100 });
 * lr(50); // 0.005
 * lr(100); // 0.01
 * lr(400); // 0.005
 * @see Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762, section 5.3, where
 *   lr = (d_model·warmupSteps)^-½
 */
export function inverseSqrt(options: InverseSqrtOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'warmupSteps']);
  const { lr, warmupSteps = 1 } = options;
  checkLr('lr', lr);
  checkSteps('warmupSteps', warmupSteps);
  return createSchedule({ name: 'inverseSqrt', lr, warmupSteps }, (step) => {
    return step < warmupSteps ? lr * (step / warmupSteps) : lr / Math.sqrt(step / warmupSteps);
  });
}
