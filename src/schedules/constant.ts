import { type ConfiguredSchedule, checkLr, createSchedule } from './schedule';

/**
 * Keeps the learning rate constant.
 *
 * @param lr learning rate, in [0, 2^64)
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for another `lr`
 * @example constant(0.01)(1) // 0.01
 */
export function constant(lr: number): ConfiguredSchedule {
  checkLr('lr', lr);
  return createSchedule({ name: 'constant', lr }, () => lr);
}
