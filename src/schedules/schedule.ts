/**
 * The interface of schedules, and what all of them share: checks, the config, and interpolation
 * between two learning rates.
 *
 * Invariant: the value of a schedule depends only on its options and the step, unless its docs say
 * that it has state.
 */
import { checkInteger, checkNumber, isRate } from '../validate';

/** Value of an option in a config: plain JSON. */
export type ScheduleConfigValue =
  | number
  | string
  | boolean
  | readonly ScheduleConfigValue[]
  | ScheduleConfig;

/** A schedule as plain JSON, from which `scheduleFromConfig` builds it again. */
export interface ScheduleConfig {
  /** Name of the function that creates the schedule. */
  readonly name: string;
  /** Options of the schedule, including defaults. */
  readonly [option: string]: ScheduleConfigValue;
}

/** A learning rate as a function of the step, which counts from 1. Pass it as `lr`. */
export interface Schedule {
  /** Returns the learning rate of a step. */
  (step: number): number;
  /**
   * Returns the momentum of a step, which replaces the optimizer's own: β1 of the Adam family,
   * `momentum` of SGD and RMSProp. It is a number in [0, 1 - 2^-25), or undefined where the
   * schedule leaves the momentum alone. Only `oneCycle` with `cycleMomentum` has it, and what is
   * made of it.
   */
  momentum?(step: number): number | undefined;
  /** Plain JSON that rebuilds the schedule; absent if a function of your own is part of it. */
  readonly config?: ScheduleConfig;
}

/** A schedule that `scheduleFromConfig(schedule.config)` can build again. */
export interface ConfiguredSchedule extends Schedule {
  readonly config: ScheduleConfig;
}

/** State of a schedule: plain JSON. */
export type ScheduleState = Readonly<Record<string, number | string | boolean | null>>;

/** A schedule with state, which a checkpoint must include. */
export interface StatefulSchedule extends Schedule {
  /** Reports a metric, if the schedule uses one. Returns whether the learning rate changed. */
  update?(metric: number): boolean;
  /** Returns a copy of the state, as plain JSON. */
  stateDict(): ScheduleState;
  /**
   * Restores a state.
   *
   * @throws ArgumentError if the state does not fit; nothing changes then
   */
  loadStateDict(state: ScheduleState): void;
}

/**
 * Tells whether a learning rate has state to save, as `reduceOnPlateau`, a schedule that contains
 * it, or a function of your own with `stateDict` and `loadStateDict` has.
 */
export function isStatefulSchedule(lr: unknown): lr is StatefulSchedule {
  if (typeof lr !== 'function') return false;
  const { stateDict, loadStateDict } = lr as Partial<StatefulSchedule>;
  return typeof stateDict === 'function' && typeof loadStateDict === 'function';
}

/** Throws an ArgumentError unless `step` is an integer ≥ 1. */
function checkStep(step: number): void {
  checkInteger('step', step, 1, Number.MAX_SAFE_INTEGER);
}

/** Checks a number of steps, an integer ≥ `low`, and returns it. */
export function checkSteps(argument: string, value: unknown, low = 1): number {
  return checkInteger(argument, value, low, Number.MAX_SAFE_INTEGER);
}

/** Checks a learning rate, a number in [0, 2^64), and returns it. */
export function checkLr(argument: string, value: unknown): number {
  return checkNumber(argument, value, '[0, 2^64)', isRate);
}

/** Checks a decay factor, a number in (0, 1], and returns it. */
export function checkFactor(argument: string, value: unknown): number {
  return checkNumber(argument, value, '(0, 1]', (x) => x > 0 && x <= 1);
}

/** Creates a frozen schedule from a formula, with a check of the step, its config and methods. */
export function createSchedule<Methods extends object>(
  config: ScheduleConfig,
  at: (step: number) => number,
  methods?: Methods,
): ConfiguredSchedule & Methods {
  return Object.freeze(
    Object.assign(checked(at), { config: Object.freeze(config) }, methods as Methods),
  );
}

/** Returns a function that checks the step before it applies a formula. */
export function checked<T>(at: (step: number) => T): (step: number) => T {
  return (step) => {
    checkStep(step);
    return at(step);
  };
}

/**
 * Returns end + (start - end)·weight. Rounding cannot move the result out of the interval between
 * the two, nor away from `start` at weight 1.
 *
 * @param weight weight of `start`, in [0, 1]
 */
export function blend(start: number, end: number, weight: number): number {
  if (weight >= 1) return start;
  const x = end + (start - end) * weight;
  return Math.min(Math.max(x, Math.min(start, end)), Math.max(start, end));
}
