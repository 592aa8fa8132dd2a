/**
 * What a schedule is, and what all of them share: checks, the config they carry, and one way to
 * blend two learning rates.
 *
 * Invariant: except for what its doc says of state, a schedule's value depends on its options and
 * the step alone.
 */
import { checkInteger, checkNumber, isRate } from '../validate';

/** What a config may hold: plain JSON. */
export type ScheduleConfigValue = number | string | readonly ScheduleConfigValue[] | ScheduleConfig;

/**
 * A schedule as plain JSON: the name of its function and its options, defaults filled in. See
 * `scheduleFromConfig`.
 */
export interface ScheduleConfig {
  readonly name: string;
  readonly [option: string]: ScheduleConfigValue;
}

/**
 * A learning rate as a pure function of the step, usable as `lr`. Steps count from 1: the first
 * step is 1.
 */
export interface Schedule {
  (step: number): number;
  /** What rebuilds it; absent on a function of your own, and on what is made of one. */
  readonly config?: ScheduleConfig;
}

/** A schedule that `scheduleFromConfig(schedule.config)` builds again. */
export interface ConfiguredSchedule extends Schedule {
  readonly config: ScheduleConfig;
}

/** The state of a schedule: plain JSON. */
export type ScheduleState = Readonly<Record<string, number | string | boolean | null>>;

/** A schedule with state, which a checkpoint has to hold besides the step. */
export interface StatefulSchedule extends Schedule {
  /** Tells it a metric, if it is fed one; true if the learning rate has changed. */
  update?(metric: number): boolean;
  /** A copy of its state, as plain JSON. */
  stateDict(): ScheduleState;
  /**
   * Takes over a state. @throws ArgumentError for one that does not fit; nothing has changed then
   */
  loadStateDict(state: ScheduleState): void;
}

/**
 * Whether a learning rate has state to save: `reduceOnPlateau`, what is joined from it, or your own
 * function like it.
 */
export function isStatefulSchedule(lr: unknown): lr is StatefulSchedule {
  if (typeof lr !== 'function') return false;
  const { stateDict, loadStateDict } = lr as Partial<StatefulSchedule>;
  return typeof stateDict === 'function' && typeof loadStateDict === 'function';
}

/** @throws ArgumentError unless `step` is a whole number ≥ 1 */
function checkStep(step: number): void {
  checkInteger('step', step, 1, Number.MAX_SAFE_INTEGER);
}

/** A number of steps: a whole number ≥ `low`. */
export function checkSteps(argument: string, value: unknown, low = 1): number {
  return checkInteger(argument, value, low, Number.MAX_SAFE_INTEGER);
}

/** A learning rate: a number in [0, 2^64). */
export function checkLr(argument: string, value: unknown): number {
  return checkNumber(argument, value, '[0, 2^64)', isRate);
}

/** A factor by which a learning rate shrinks, or 1: in (0, 1]. */
export function checkFactor(argument: string, value: unknown): number {
  return checkNumber(argument, value, '(0, 1]', (x) => x > 0 && x <= 1);
}

/**
 * The schedule of a checked formula: it checks the step, carries its config and methods, and cannot
 * be changed.
 */
export function createSchedule<Methods extends object>(
  config: ScheduleConfig,
  at: (step: number) => number,
  methods?: Methods,
): ConfiguredSchedule & Methods {
  return Object.freeze(
    Object.assign(checked(at), { config: Object.freeze(config) }, methods as Methods),
  );
}

/** The function of the step that checks it first. */
export function checked(at: (step: number) => number): (step: number) => number {
  return (step) => {
    checkStep(step);
    return at(step);
  };
}

/**
 * end + (start - end)·weight, which rounding can neither push beyond the two nor move away from
 * `start` at weight 1.
 *
 * @param weight of `start`, in [0, 1]
 */
export function blend(start: number, end: number, weight: number): number {
  if (weight >= 1) return start;
  const x = end + (start - end) * weight;
  return Math.min(Math.max(x, Math.min(start, end)), Math.max(start, end));
}
