/**
 * The only schedule with state. Its value at any step is the current learning rate, which only
 * `update` lowers and only `loadStateDict` sets.
 */
import { checkChoice, checkInteger, checkNumber, checkOptions, fail } from '../validate';
import {
  type ConfiguredSchedule,
  checkLr,
  checkSteps,
  createSchedule,
  type ScheduleConfig,
  type StatefulSchedule,
} from './schedule';

/** Options of `reduceOnPlateau`. */
export interface ReduceOnPlateauOptions {
  /** Learning rate until the first reduction, in [0, 2^64). */
  lr: number;
  /**
   * Factor of each reduction, in (0, 1).
   * @default 0.1
   */
  factor?: number;
  /**
   * Number of consecutive bad updates without a reduction, an integer ≥ 0; the next one reduces.
   * @default 10
   */
  patience?: number;
  /**
   * Amount by which a metric must be better than the best so far to count as better: finite, ≥ 0,
   * and below 1 if it is relative and the mode is 'min'.
   * @default 1e-4
   */
  threshold?: number;
  /**
   * Meaning of `threshold`: relative to the best so far ('rel'), or a difference ('abs').
   * @default 'rel'
   */
  thresholdMode?: 'rel' | 'abs';
  /**
   * Number of updates after a reduction that do not count as bad, an integer ≥ 0.
   * @default 0
   */
  cooldown?: number;
  /**
   * Lower bound of the learning rate, in [0, lr].
   * @default 0
   */
  minLr?: number;
  /**
   * Whether the metric should fall, as a loss ('min'), or rise, as an accuracy ('max').
   * @default 'min'
   */
  mode?: 'min' | 'max';
  /**
   * Smallest reduction; smaller ones are skipped. Finite, ≥ 0. It is absolute, as in PyTorch, so
   * decrease it for an `lr` near 1e-8.
   * @default 1e-8
   */
  eps?: number;
}

/** State of `reduceOnPlateau`: plain JSON. */
export type PlateauState = {
  /** Current learning rate. */
  readonly lr: number;
  /** Best metric so far; null before the first finite one. */
  readonly best: number | null;
  /** Number of consecutive bad updates. */
  readonly badUpdates: number;
  /** Number of remaining updates that do not count as bad. */
  readonly cooldownLeft: number;
};

/** Schedule whose learning rate falls when a metric stops improving. */
export interface PlateauSchedule extends ConfiguredSchedule, StatefulSchedule {
  /** Plain JSON that rebuilds the schedule, without its state. */
  readonly config: ScheduleConfig;
  /**
   * Reports a metric, usually once per epoch.
   *
   * @param metric a number; NaN and ±Infinity count as bad
   * @returns whether the learning rate was reduced
   * @throws ArgumentError unless `metric` is a number
   */
  update(metric: number): boolean;
  /** Returns a copy of the state. */
  stateDict(): PlateauState;
  /**
   * Restores a state of a schedule with the same options.
   *
   * @throws ArgumentError if the state does not fit; nothing changes then
   */
  loadStateDict(state: PlateauState): void;
}

type Settings = Required<ReduceOnPlateauOptions>;

const OPTION_NAMES = [
  'lr',
  'factor',
  'patience',
  'threshold',
  'thresholdMode',
  'cooldown',
  'minLr',
  'mode',
  'eps',
];
const STATE_NAMES = ['lr', 'best', 'badUpdates', 'cooldownLeft'];

/**
 * Reduces the learning rate when a metric has stopped improving.
 *
 *     'min', 'rel'   x is better if x < best·(1 - threshold)
 *     'min', 'abs'   x is better if x < best - threshold
 *     'max', 'rel'   x is better if x > best·(1 + threshold)
 *     'max', 'abs'   x is better if x > best + threshold
 *
 * A better metric becomes the best and resets the count of bad updates; any other increments it.
 * The first finite metric is always better. When the count exceeds `patience`, the learning rate
 * becomes max(lr·factor, minLr), if that is lower by more than `eps`; during the next `cooldown`
 * updates the count stays 0.
 *
 * The value depends on the updates, not on the step: the schedule has state, which belongs in a
 * checkpoint (`stateDict`, `loadStateDict`). Several groups may share one schedule. The rules are
 * those of PyTorch's ReduceLROnPlateau, with one exception: an infinite metric of the good sign is
 * bad here, while in PyTorch it becomes a best that nothing can beat. With 'rel' and a negative
 * best the threshold points the other way, as in PyTorch; use 'abs' for such metrics.
 *
 * @returns a function of the 1-based step with `update`, `stateDict` and `loadStateDict`
 * @throws ArgumentError for options out of range
 * @example
 * const lr = reduceOnPlateau({ lr: 0.1, factor: 0.5, patience: 1 });
 * lr.update(2); // false: the best so far
 * lr.update(2); // false: patience allows one bad update
 * lr.update(2); // true
 * lr(4); // 0.05, at every step until the next reduction
 * @see torch.optim.lr_scheduler.ReduceLROnPlateau
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions): PlateauSchedule {
  const settings = checkSettings(options);
  let state: PlateauState = { lr: settings.lr, best: null, badUpdates: 0, cooldownLeft: 0 };
  const update = (metric: number): boolean => {
    if (typeof metric !== 'number') fail('metric', 'a number', metric);
    const { lr } = state;
    state = afterUpdate(settings, state, metric);
    return state.lr < lr;
  };
  const stateDict = () => ({ ...state });
  const loadStateDict = (given: PlateauState): void => {
    state = checkState(settings, given);
  };
  return createSchedule({ name: 'reduceOnPlateau', ...settings }, () => state.lr, {
    update,
    stateDict,
    loadStateDict,
  });
}

/** Returns the state after one more metric, by the rules above in PyTorch's order. */
function afterUpdate(settings: Settings, state: PlateauState, metric: number): PlateauState {
  const better = isBetter(settings, state.best, metric);
  // + 0 turns -0 into 0: JSON does not keep the sign.
  const best = better ? metric + 0 : state.best;
  const cooling = state.cooldownLeft > 0;
  const cooldownLeft = cooling ? state.cooldownLeft - 1 : 0;
  const badUpdates = better || cooling ? 0 : state.badUpdates + 1;
  if (badUpdates <= settings.patience) return { lr: state.lr, best, badUpdates, cooldownLeft };
  const lower = Math.max(state.lr * settings.factor, settings.minLr);
  const lr = state.lr - lower > settings.eps ? lower : state.lr;
  return { lr, best, badUpdates: 0, cooldownLeft: settings.cooldown };
}

function isBetter(
  { mode, threshold, thresholdMode }: Settings,
  best: number | null,
  metric: number,
): boolean {
  if (!Number.isFinite(metric)) return false;
  if (best === null) return true;
  if (mode === 'min')
    return metric < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
  return metric > (thresholdMode === 'rel' ? best * (1 + threshold) : best + threshold);
}

function checkSettings(options: ReduceOnPlateauOptions): Settings {
  checkOptions('options', options, OPTION_NAMES);
  const { lr, factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options;
  const { cooldown = 0, minLr = 0, mode = 'min', eps = 1e-8 } = options;
  checkLr('lr', lr);
  checkNumber('factor', factor, '(0, 1)', (x) => x > 0 && x < 1);
  checkSteps('patience', patience, 0);
  checkChoice('thresholdMode', thresholdMode, ['rel', 'abs']);
  checkChoice('mode', mode, ['min', 'max']);
  const share = mode === 'min' && thresholdMode === 'rel';
  checkNumber(
    'threshold',
    threshold,
    share ? '[0, 1)' : '[0, ∞)',
    (x) => x >= 0 && !(share && x >= 1),
  );
  checkSteps('cooldown', cooldown, 0);
  checkNumber('minLr', minLr, `[0, lr = ${lr}]`, (x) => x >= 0 && x <= lr);
  checkNumber('eps', eps, '[0, ∞)', (x) => x >= 0);
  return { lr, factor, patience, threshold, thresholdMode, cooldown, minLr, mode, eps };
}

/** Checks a state and returns a copy. */
function checkState(
  { lr: firstLr, minLr, patience, cooldown }: Settings,
  given: unknown,
): PlateauState {
  checkOptions('state', given, STATE_NAMES);
  const { lr, best, badUpdates, cooldownLeft } = given as Record<string, unknown>;
  return {
    lr: checkNumber(
      'state.lr',
      lr,
      `[minLr = ${minLr}, lr = ${firstLr}]`,
      (x) => x >= minLr && x <= firstLr,
    ),
    best: best === null ? null : checkBest(best),
    badUpdates: checkInteger('state.badUpdates', badUpdates, 0, patience),
    cooldownLeft: checkInteger('state.cooldownLeft', cooldownLeft, 0, cooldown),
  };
}

function checkBest(best: unknown): number {
  if (typeof best !== 'number' || !Number.isFinite(best))
    fail('state.best', 'null or a finite number', best);
  return best;
}
