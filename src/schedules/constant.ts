import { type ConfiguredSchedule, checkLr, createSchedule } from './schedule';

/**
 * The same learning rate at every step.
 *
 * @param lr in [0, 2^64)
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1
 * @throws ArgumentError for another `lr`
 * @example constant(0.01)(1) // 0.01
 */
export function constant(lr: number): ConfiguredSchedule {
  checkLr('lr', lr);
  return createSchedule({ name: 'constant', lr }, () => lr);
}
