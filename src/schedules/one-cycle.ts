import { checkBoolean, checkChoice, checkNumber, checkOptions, fail } from '../validate';
import { halfCosine } from './cosine';
import {
  blend,
  type ConfiguredSchedule,
  checked,
  checkLr,
  checkSteps,
  createSchedule,
} from './schedule';

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Peak learning rate, in [0, 2^64). */
  maxLr: number;
  /** Number of steps of the whole run, an integer ≥ 1. */
  totalSteps: number;
  /**
   * Fraction of the steps that rise to the peak, in [0, 1].
   * @default 0.3
   */
  warmupFraction?: number;
  /**
   * Ratio of the peak to the rate of step 1, which is maxLr/startFactor; finite, ≥ 1.
   * @default 25
   */
  startFactor?: number;
  /**
   * Ratio of the rate of step 1 to that of step totalSteps; finite, ≥ 1/startFactor.
   * @default 1e4
   */
  endFactor?: number;
  /**
   * Shape of rise and fall.
   * @default 'cosine'
   */
  shape?: 'cosine' | 'linear';
  /**
   * Whether the momentum moves against the learning rate: β1 of the Adam family, `momentum` of SGD
   * and RMSProp. Optimizers without momentum refuse the schedule then, and so do AdaL and
   * Schedule-Free AdamW, whose bounds and average need a constant β1. PyTorch's default is true.
   * @default false
   */
  cycleMomentum?: boolean;
  /**
   * Momentum of the first and the last step, in [0, 1 - 2^-25); only with `cycleMomentum`.
   * @default 0.95
   */
  maxMomentum?: number;
  /**
   * Momentum at the peak of the learning rate, in [0, maxMomentum]; only with `cycleMomentum`.
   * PyTorch calls it `base_momentum`.
   * @default 0.85
   */
  minMomentum?: number;
}

/**
 * Rises to a high learning rate, then falls far below the initial one.
 *
 *     lr(t) = from start to maxLr as t - 1 goes from 0 to p,
 *             then from maxLr to end as t - 1 goes from p to totalSteps - 1
 *     p = warmupFraction·totalSteps - 1,  start = maxLr/startFactor,  end = start/endFactor
 *
 * Between two rates the schedule follows half a cosine or a straight line. Step 1 uses `start`. The
 * peak is at step p + 1 = warmupFraction·totalSteps; if that is not an integer, it lies between two
 * steps. Step totalSteps uses `end`, and later steps stay there.
 *
 * The values are those of PyTorch's OneCycleLR (two phases) at `last_epoch` = t - 1. Where PyTorch
 * divides by zero (warmupFraction·totalSteps = 1), step 1 is the peak. With a `warmupFraction`
 * below 1/totalSteps, the peak lies before step 1.
 *
 * With `cycleMomentum` the schedule sets the momentum too: from `maxMomentum` to `minMomentum` and
 * back, along the same curves. Adam's bias correction divides by 1 minus the product of all β1 so
 * far, the sum of the weights in m; PyTorch takes the current β1 to the power of the step.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = oneCycle({ maxLr: 0.1, totalSteps: 100 });
 * lr(1); // 0.004
 * lr(30); // 0.1
 * lr(100); // 4e-7
 * const both = oneCycle({ maxLr: 0.1, totalSteps: 100, cycleMomentum: true });
 * both.momentum?.(1); // 0.95
 * both.momentum?.(30); // 0.85
 * @see Smith & Topin 2018, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 *   Learning Rates", arXiv 1708.07120. Its symmetric rise and fall with a short tail became these
 *   two phases in fastai and PyTorch
 */
export function oneCycle(options: OneCycleOptions): ConfiguredSchedule {
  checkOptions('options', options, [
    'maxLr',
    'totalSteps',
    'warmupFraction',
    'startFactor',
    'endFactor',
    'shape',
    'cycleMomentum',
    'maxMomentum',
    'minMomentum',
  ]);
  const {
    maxLr,
    totalSteps,
    warmupFraction = 0.3,
    startFactor = 25,
    endFactor = 1e4,
    shape = 'cosine',
  } = options;
  checkLr('maxLr', maxLr);
  checkSteps('totalSteps', totalSteps);
  checkNumber('warmupFraction', warmupFraction, '[0, 1]', (x) => x >= 0 && x <= 1);
  checkNumber('startFactor', startFactor, '[1, ∞)', (x) => x >= 1);
  checkNumber(
    'endFactor',
    endFactor,
    `[1/startFactor = ${1 / startFactor}, ∞)`,
    (x) => x >= 1 / startFactor,
  );
  checkChoice('shape', shape, ['cosine', 'linear']);
  const momenta = checkMomenta(options);
  const startLr = maxLr / startFactor;
  const endLr = Math.min(startLr / endFactor, maxLr); // since rounding could exceed maxLr
  const peak = warmupFraction * totalSteps - 1;
  const along = shape === 'cosine' ? halfCosine : (k: number, n: number) => 1 - k / n;
  const config = {
    name: 'oneCycle',
    maxLr,
    totalSteps,
    warmupFraction,
    startFactor,
    endFactor,
    shape,
    ...(momenta && { cycleMomentum: true, ...momenta }),
  };
  /** Goes from `start` to `top` and on to `end`. */
  const cycle = (start: number, top: number, end: number) => (step: number) => {
    const done = step - 1;
    if (done === peak) return top;
    if (done < peak) return blend(start, top, along(done, peak));
    if (done >= totalSteps - 1) return end;
    return blend(top, end, along(done - peak, totalSteps - 1 - peak));
  };
  const at = cycle(startLr, maxLr, endLr);
  if (!momenta) return createSchedule(config, at);
  const { maxMomentum, minMomentum } = momenta;
  const momentum = checked(cycle(maxMomentum, minMomentum, maxMomentum));
  return createSchedule(config, at, { momentum });
}

/** Returns the ends between which the momentum moves; null if it does not. */
function checkMomenta({ cycleMomentum = false, maxMomentum, minMomentum }: OneCycleOptions) {
  if (!checkBoolean('cycleMomentum', cycleMomentum)) {
    for (const [name, value] of Object.entries({ maxMomentum, minMomentum }))
      if (value !== undefined) fail(name, 'nothing without cycleMomentum', value);
    return null;
  }
  const largest = checkNumber(
    'maxMomentum',
    maxMomentum ?? 0.95,
    '[0, 1 - 2^-25)',
    (x) => x >= 0 && Math.fround(x) < 1,
  );
  const smallest = checkNumber(
    'minMomentum',
    minMomentum ?? 0.85,
    `[0, maxMomentum = ${largest}]`,
    (x) => x >= 0 && x <= largest,
  );
  return { maxMomentum: largest, minMomentum: smallest };
}
