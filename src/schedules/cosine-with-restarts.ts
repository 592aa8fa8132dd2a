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
  /** Learning rate of step 1, in [0, 2^64). */
  lr: number;
  /** Number of steps of the first cycle, an integer ≥ 1. */
  firstCycleSteps: number;
  /**
   * Factor by which each cycle is longer than the previous one, an integer ≥ 1.
   * @default 1
   */
  cycleFactor?: number;
  /**
   * Learning rate that each cycle approaches, in [0, lr].
   * @default 0
   */
  endLr?: number;
  /**
   * Factor by which the height of each cycle above `endLr` shrinks, in (0, 1].
   * @default 1
   */
  decay?: number;
}

/**
 * Falls from `lr` towards `endLr` along half a cosine, in repeated cycles (SGDR).
 *
 *     lr(t) = endLr + (lr - endLr)·decayⁱ·½(1 + cos(π·k/T)),  T = firstCycleSteps·cycleFactorⁱ,
 *
 * at step k (counted from 0) of cycle i = 0, 1, …. Cycle 0 covers steps 1 to firstCycleSteps; step
 * firstCycleSteps + 1 starts cycle 1. The last step of a cycle is a little above `endLr`. The
 * schedule has no end.
 *
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1
 * @throws ArgumentError for options out of range
 * @example
 * const lr = cosineWithRestarts({ lr: 0.01, firstCycleSteps: 10, cycleFactor: 2 });
 * lr(1); // 0.01
 * lr(6); // 0.005
 * lr(11); // 0.01: the second cycle, of 20 steps
 * lr(21); // 0.005
 * @see Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv
 *   1608.03983
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

/** Returns the cycle after `done` completed steps, the steps done in it, and its length. */
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
  // At most 53 iterations: cycles at least double, and done < 2^53.
  while (k >= cycleSteps) {
    k -= cycleSteps;
    cycleSteps *= cycleFactor;
    cycle++;
  }
  return { cycle, k, cycleSteps };
}
