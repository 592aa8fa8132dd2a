import { pow } from '../math/pow';
import { checkNumber, checkOptions } from '../validate';
import { halfCosine } from './cosine';
import {
  blend,
  type ConfiguredSchedule,
  checkFactor,
  checkLr,
  checkSteps,
  createSchedule,
} from './schedule';

/** Options of `cosineWithRestarts`. */
export interface CosineWithRestartsOptions {
  /** The learning rate of step 1: in [0, 2^64). */
  lr: number;
  /** Steps of the first cycle: a whole number ≥ 1. */
  firstCycleSteps: number;
  /**
   * Each cycle has this many times the steps of the one before it: a whole number ≥ 1.
   * @default 1
   */
  cycleFactor?: number;
  /**
   * What each cycle falls towards, in [0, lr].
   * @default 0
   */
  endLr?: number;
  /**
   * Each cycle starts this much lower above `endLr` than the one before it, in (0, 1].
   * @default 1
   */
  decay?: number;
}

/**
 * Falls from `lr` towards `endLr` along half a cosine, again and again (SGDR).
 *
 *     lr(t) = endLr + (lr - endLr)·decayⁱ·½(1 + cos(π·k/T)),  T = firstCycleSteps·cycleFactorⁱ,
 *
 * at the k-th step, counted from 0, of cycle i = 0, 1, …: cycle 0 is steps 1 to firstCycleSteps,
 * and step firstCycleSteps + 1 restarts. The last step of a cycle is a little above `endLr`. It
 * never ends.
 *
 * @returns a function of the 1-based step; it throws ArgumentError for steps that are not whole
 * numbers ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = cosineWithRestarts({ lr: 0.01, firstCycleSteps: 10, cycleFactor: 2 });
 * lr(1); // 0.01
 * lr(6); // 0.005
 * lr(11); // 0.01: the second cycle, of 20 steps
 * lr(21); // 0.005
 * @see Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv
 * 1608.03983
 */
export function cosineWithRestarts(options: CosineWithRestartsOptions): ConfiguredSchedule {
  checkOptions('options', options, ['lr', 'firstCycleSteps', 'cycleFactor', 'endLr', 'decay']);
  const { lr, firstCycleSteps, cycleFactor = 1, endLr = 0, decay = 1 } = options;
  checkLr('lr', lr);
  checkSteps('firstCycleSteps', firstCycleSteps);
  checkSteps('cycleFactor', cycleFactor);
  checkNumber('endLr', endLr, `[0, lr = ${lr}]`, (x) => x >= 0 && x <= lr);
  checkFactor('decay', decay);
  const config = { name: 'cosineWithRestarts', lr, firstCycleSteps, cycleFactor, endLr, decay };
  return createSchedule(config, (step) => {
    const { cycle, k, cycleSteps } = locate(step - 1, firstCycleSteps, cycleFactor);
    return blend(lr, endLr, pow(decay, cycle) * halfCosine(k, cycleSteps));
  });
}

/** The cycle that `done` completed steps lead into, the steps done in it, and how many it has. */
function locate(done: number, firstCycleSteps: number, cycleFactor: number) {
  if (cycleFactor === 1) {
    return {
      cycle: Math.floor(done / firstCycleSteps),
      k: done % firstCycleSteps,
      cycleSteps: firstCycleSteps,
    };
  }
  let cycle = 0;
  let k = done;
  let cycleSteps = firstCycleSteps;
  // At most 53 turns: cycles at least double, and done < 2^53.
  while (k >= cycleSteps) {
    k -= cycleSteps;
    cycleSteps *= cycleFactor;
    cycle++;
  }
  return { cycle, k, cycleSteps };
}
