import type { LearningRate } from '../types';
import { checkOptions } from '../validate';
import { asSchedule, combine } from './join';
import { blend, checkLr, checkSteps, type Schedule } from './schedule';

/** Options of `warmup`. */
export interface WarmupOptions {
  /** Number of steps before the schedule starts, an integer ≥ 0. */
  steps: number;
  /**
   * Learning rate after the warm-up, starting at its own step 1: a schedule, a function of the
   * 1-based step, or a number.
   */
  schedule: LearningRate;
  /**
   * Learning rate of step 1, in [0, 2^64).
   * @default schedule(1)/(steps + 1): the line passes through 0 at "step 0", so no step is wasted
   */
  startLr?: number;
}

/**
 * Rises to the first value of a schedule in a straight line, then follows the schedule.
 *
 *     lr(t) = startLr + (schedule(1) - startLr)·(t - 1)/steps   for t ≤ steps
 *     lr(t) = schedule(t - steps) after that
 *
 * By default the first part is schedule(1)·t/(steps + 1). The line meets the schedule at step
 * steps + 1, which is step 1 of the schedule. If the schedule has state, so does the result. If it
 * sets the momentum, so does the result, which holds schedule.momentum(1) during the warm-up.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1. It has a `config` if `schedule` is a number or has one
 * @throws ArgumentError for options out of range
 * @example
 * const lr = warmup({ steps: 9, schedule: cosine({ lr: 0.1, totalSteps: 91 }) });
 * lr(1); // 0.01
 * lr(10); // 0.1: step 1 of the cosine
 * lr(101); // 0
 * @see Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.2; with
 *   `startLr: 0` the first step is that of optax.warmup_cosine_decay_schedule
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
  const at = (step: number) => {
    if (step > steps) return schedule(step - steps);
    const goal = schedule(1); // not cached, since state may have changed it
    return blend(startLr ?? goal / (steps + 1), goal, 1 - (step - 1) / steps);
  };
  return combine([schedule], config, at, (step) => schedule.momentum?.(Math.max(1, step - steps)));
}
