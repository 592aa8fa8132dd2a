/**
 * The one schedule with state. Its value at any step is the current learning rate, which `update`
 * alone lowers and `loadStateDict` alone sets.
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
  /** The learning rate until the first reduction: in [0, 2^64). */
  lr: number;
  /**
   * The learning rate is multiplied by it at each reduction; in (0, 1).
   * @default 0.1
   */
  factor?: number;
  /**
   * Bad updates in a row that are put up with; the one after them reduces. A whole number ≥ 0.
   * @default 10
   */
  patience?: number;
  /**
   * How much better than the best so far a metric must be to count as better: finite, ≥ 0; below 1
   * for a relative one of mode 'min'.
   * @default 1e-4
   */
  threshold?: number;
  /**
   * Whether `threshold` is a share of the best so far or a difference to it.
   * @default 'rel'
   */
  thresholdMode?: 'rel' | 'abs';
  /**
   * Updates after a reduction in which bad ones are not counted: a whole number ≥ 0.
   * @default 0
   */
  cooldown?: number;
  /**
   * The learning rate goes no lower, in [0, lr].
   * @default 0
   */
  minLr?: number;
  /**
   * Whether the metric should fall, as a loss, or rise, as an accuracy.
   * @default 'min'
   */
  mode?: 'min' | 'max';
  /**
   * A reduction by no more than this is not made; finite, ≥ 0. As in PyTorch not relative: lower it
   * for an `lr` near 1e-8.
   * @default 1e-8
   */
  eps?: number;
}

/** The state of `reduceOnPlateau`: plain JSON. */
export type PlateauState = {
  /** The current learning rate. */
  readonly lr: number;
  /** The best metric so far, null before the first finite one. */
  readonly best: number | null;
  /** Bad updates in a row. */
  readonly badUpdates: number;
  /** Updates left in which bad ones are not counted. */
  readonly cooldownLeft: number;
};

/** A learning rate that falls when a metric stops improving. */
export interface PlateauSchedule extends ConfiguredSchedule, StatefulSchedule {
  readonly config: ScheduleConfig;
  /**
   * Tells it a metric, usually once an epoch.
   *
   * @param metric a number; NaN and ±Infinity are never better than the best so far and count as
   * bad
   * @returns whether the learning rate has fallen
   * @throws ArgumentError unless `metric` is a number
   */
  update(metric: number): boolean;
  /** A copy of its state. */
  stateDict(): PlateauState;
  /**
   * Takes over a state of a schedule with the same options.
   * @throws ArgumentError for one that does not fit; nothing has changed then
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
 * Lowers the learning rate when a metric has stopped improving.
 *
 *     better(x) = x < best·(1 - threshold) | x < best - threshold | x > best·(1 + threshold) | x > best + threshold
 *                 for 'min' with 'rel'       'min' with 'abs'       'max' with 'rel'           'max' with 'abs'
 *
 * A better metric becomes the best and ends the run of bad ones; any other lengthens it. More than
 * `patience` bad ones in a row: lr ← max(lr·factor, minLr), if that is lower by more than `eps`,
 * and for the next `cooldown` updates the run stays empty. The first finite metric is better than
 * none.
 *
 * The value does not depend on the step, only on the updates made: it is not pure, and its state
 * belongs into a checkpoint (`stateDict`, `loadStateDict`). Several groups may share one. These are
 * the rules of PyTorch's ReduceLROnPlateau with one exception: an infinite metric of the good sign
 * is bad here, while PyTorch would take it for a best that nothing can beat. With 'rel' and a
 * negative best the threshold points the other way, as it does there: use 'abs' for such metrics.
 *
 * @returns a function of the 1-based step with `update`, `stateDict` and `loadStateDict`
 * @throws ArgumentError for options out of range
 * @example
 * const lr = reduceOnPlateau({ lr: 0.1, factor: 0.5, patience: 1 });
 * lr.update(2); // false: the best so far
 * lr.update(2); // false: one bad update is put up with
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

/** The state after one more metric: the rules above, in PyTorch's order. */
function afterUpdate(settings: Settings, state: PlateauState, metric: number): PlateauState {
  const better = isBetter(settings, state.best, metric);
  const best = better ? metric : state.best;
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

/** A checked copy of a state as `stateDict` gives it. */
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
