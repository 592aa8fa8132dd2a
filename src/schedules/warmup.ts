import type { LearningRate } from '../types';
import { checkOptions } from '../validate';
import { asSchedule, combine } from './join';
import { blend, checkLr, checkSteps, type Schedule } from './schedule';

/** Options of `warmup`. */
export interface WarmupOptions {
  /** Steps before the schedule begins: a whole number ≥ 0. */
  steps: number;
  /**
   * What follows, from its own step 1: a schedule, a function of the 1-based step, or a number for
   * a constant rate.
   */
  schedule: LearningRate;
  /**
   * The learning rate of step 1: in [0, 2^64).
   * @default schedule(1)/(steps + 1), so that the line would be 0 at "step 0" and no step is lost
   */
  startLr?: number;
}

/**
 * Climbs to a schedule's first value in a straight line, then follows the schedule.
 *
 *     lr(t) = startLr + (schedule(1) - startLr)·(t - 1)/steps for t ≤ steps, schedule(t - steps) after it
 *
 * By default that is schedule(1)·t/(steps + 1). The line meets the schedule at step steps + 1, the
 * schedule's step 1. A schedule's state, if it has any, becomes the state of the whole.
 *
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1. It has a
 * `config` if `schedule` is a number or has one
 * @throws ArgumentError for options out of range
 * @example
 * const lr = warmup({ steps: 9, schedule: cosine({ lr: 0.1, totalSteps: 91 }) });
 * lr(1); // 0.01
 * lr(10); // 0.1: step 1 of the cosine
 * lr(101); // 0
 * @see Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.2; `startLr:
 * 0` is
 * optax.warmup_cosine_decay_schedule's first step
 */
export function warmup(options: WarmupOptions): Schedule {
  checkOptions('options', options, ['steps', 'schedule', 'startLr']);
  const { steps, startLr } = options;
  checkSteps('steps', steps, 0);
  const schedule = asSchedule('schedule', options.schedule);
  if (startLr !== undefined) checkLr('startLr', startLr);
  const config = schedule.config && {
    name: 'warmup',
    steps,
    schedule: schedule.config,
    ...(startLr !== undefined && { startLr }),
  };
  return combine([schedule], config, (step) => {
    if (step > steps) return schedule(step - steps);
    const goal = schedule(1); // asked for anew: state may have changed it
    return blend(startLr ?? goal / (steps + 1), goal, 1 - (step - 1) / steps);
  });
}
