import { pow } from '../math/pow';
import { checkOptions, fail } from '../validate';
import { checkRising, passed } from './milestones';
import {
  type ConfiguredSchedule,
  checkFactor,
  checkLr,
  checkSteps,
  createSchedule,
} from './schedule';

/** Options of `stepDecay`: either `stepSize` or `milestones`. */
export interface StepDecayOptions {
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Number of steps from one drop to the next, an integer ≥ 1. */
  stepSize?: number;
  /** Steps after each of which the rate drops once: increasing integers ≥ 1. */
  milestones?: readonly number[];
  /**
   * Factor of each drop, in (0, 1].
   * @default 0.1
   */
  gamma?: number;
}

/**
 * Drops by a factor after every `stepSize` steps, or after each of the `milestones`.
 *
 *     lr(t) = lr·gamma^k,  k = ⌊(t - 1)/stepSize⌋ or the number of milestones ≤ t - 1
 *
 * So steps 1 to stepSize (or milestones[0]) use `lr`, and the next step has the first drop. The
 * power is computed by repeated squaring, so the bits are the same on every engine.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range, and unless exactly one of `stepSize` and
 *   `milestones` is given
 * @example
 * const lr = stepDecay({ lr: 0.08, stepSize: 30, gamma: 0.5 });
 * lr(30); // 0.08
 * lr(31); // 0.04
 * lr(61); // 0.02
 * const late = stepDecay({ lr: 0.08, milestones: [60, 80], gamma: 0.5 });
 * late(81); // 0.02
 * @see torch.optim.lr_scheduler.StepLR and MultiStepLR, which have this value at `last_epoch` =
 *   t - 1
 */
export function stepDecay(options: StepDecayOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'stepSize', 'milestones', 'gamma']);
  const { lr, stepSize, milestones, gamma = 0.1 } = options;
  checkLr('lr', lr);
  checkFactor('gamma', gamma);
  if (milestones === undefined) {
    const every = checkSteps('stepSize', stepSize);
    const config = { name: 'stepDecay', lr, stepSize: every, gamma };
    return createSchedule(config, (step) => lr * pow(gamma, Math.floor((step - 1) / every)));
  }
  if (stepSize !== undefined) fail('stepSize', 'nothing beside "milestones"', stepSize);
  const after = checkRising('milestones', milestones);
  return createSchedule({ name: 'stepDecay', lr, milestones: after, gamma }, (step) => {
    return lr * pow(gamma, passed(after, step));
  });
}
