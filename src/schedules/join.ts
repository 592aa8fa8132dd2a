import { ArgumentError } from '../errors';
import type { LearningRate } from '../types';
import { describe, fail, isRate } from '../validate';
import { constant } from './constant';
import { checkRising, passed } from './milestones';
import {
  checked,
  createSchedule,
  isStatefulSchedule,
  type Schedule,
  type ScheduleConfig,
  type StatefulSchedule,
} from './schedule';

/**
 * Concatenates schedules.
 *
 *     lr(t) = scheduleᵢ(t - boundaries[i-1]) for boundaries[i-1] < t ≤ boundaries[i]
 *
 * with boundaries[-1] = 0; the last schedule has no end. The first schedule covers steps 1 to
 * boundaries[0], and each later one starts at its own step 1. The rates need not meet at a
 * boundary.
 *
 * At most one of the schedules may have state (`reduceOnPlateau`); the result then has that state
 * and its `update`. While a schedule that cycles the momentum runs, so does the result.
 *
 * @param schedules at least one schedule, function of the 1-based step, or number for a constant
 *   rate
 * @param boundaries the last step of each schedule but the last, counted from the first: increasing
 *   integers ≥ 1
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1. It has a `config` if all of the schedules have one
 * @throws ArgumentError for other arguments
 * @example
 * const lr = join([constant(0.1), cosine({ lr: 0.1, totalSteps: 900 })], [100]);
 * lr(100); // 0.1
 * lr(101); // 0.1: step 1 of the cosine
 * lr(1001); // 0
 * @see optax.join_schedules, which has the same boundaries and counts steps from 0
 */
export function join(schedules: readonly LearningRate[], boundaries: readonly number[]): Schedule {
  if (!Array.isArray(schedules) || schedules.length === 0)
    fail('schedules', 'an array of at least one schedule', schedules);
  const parts = Array.from(schedules, (part, index) => asSchedule(`schedules[${index}]`, part));
  const ends = checkRising('boundaries', boundaries);
  if (ends.length !== parts.length - 1) {
    throw new ArgumentError(
      'boundaries',
      `${parts.length - 1} numbers, one fewer than schedules`,
      describe([...ends]),
    );
  }
  const configs = Object.freeze(parts.flatMap(({ config }) => (config ? [config] : [])));
  const config =
    configs.length === parts.length
      ? { name: 'join', schedules: configs, boundaries: ends }
      : undefined;
  const begins = (index: number) => (index === 0 ? 0 : ends[index - 1]);
  const at = (step: number) => {
    const index = passed(ends, step);
    return parts[index](step - begins(index));
  };
  return combine(parts, config, at, (step) => {
    const index = passed(ends, step);
    return parts[index].momentum?.(step - begins(index));
  });
}

/** Returns a number as a constant schedule, and a function as it is. */
export function asSchedule(argument: string, value: unknown): Schedule {
  if (typeof value === 'function') return value as Schedule;
  return isRate(value)
    ? constant(value)
    : fail(argument, 'a number in [0, 2^64) or a function of the step', value);
}

/**
 * Creates a schedule from others. It has the state of the one among them that has state, and sets
 * the momentum if one of them does.
 */
export function combine(
  parts: readonly Schedule[],
  config: ScheduleConfig | undefined,
  at: (step: number) => number,
  momentum: (step: number) => number | undefined,
): Schedule {
  const stateful = parts.filter(isStatefulSchedule);
  if (stateful.length > 1) {
    throw new ArgumentError(
      'schedules',
      'at most one schedule with state',
      `${stateful.length} of them`,
    );
  }
  const methods = {
    ...(stateful.length === 1 && stateOf(stateful[0])),
    ...(parts.some(setsMomentum) && { momentum: checked(momentum) }),
  };
  return config
    ? createSchedule(config, at, methods)
    : Object.freeze(Object.assign(checked(at), methods));
}

/** Tells whether a schedule sets the momentum too. */
export function setsMomentum(schedule: Schedule): boolean {
  return typeof schedule.momentum === 'function';
}

/** Returns the methods of a schedule with state, bound to it. */
function stateOf(
  part: StatefulSchedule,
): Pick<StatefulSchedule, 'update' | 'stateDict' | 'loadStateDict'> {
  return {
    ...(typeof part.update === 'function' && {
      update: (metric) => part.update?.(metric) ?? false,
    }),
    stateDict: () => part.stateDict(),
    loadStateDict: (state) => part.loadStateDict(state),
  };
}
