import { ArgumentError } from '../errors';
import type { LearningRate } from '../types';
import { fail } from '../validate';
import { asSchedule, combine, setsMomentum } from './join';
import { isStatefulSchedule, type Schedule } from './schedule';

/**
 * Multiplies schedules.
 *
 *     lr(t) = factor₁(t)·factor₂(t)·…
 *
 * A factor is a schedule whose `lr` is a share, such as `linear({ lr: 1, totalSteps })`, or a plain
 * number. All factors count the same steps, and the product is taken from left to right.
 *
 * At most one of the factors may have state (`reduceOnPlateau`), and at most one may set the
 * momentum (`oneCycle` with `cycleMomentum`): the result then has that state with its `update`, and
 * that momentum.
 *
 * @param factors at least one schedule, function of the 1-based step, or number
 * @returns a function of the 1-based step, which throws ArgumentError unless the step is an integer
 *   ≥ 1. It has a `config` if all of the factors have one
 * @throws ArgumentError for other arguments
 * @example
 * const plateau = reduceOnPlateau({ lr: 1, factor: 0.5, patience: 0 });
 * const lr = multiply(cosine({ lr: 0.1, totalSteps: 100 }), plateau);
 * lr(51); // 0.05
 * plateau.update(1);
 * plateau.update(1);
 * lr(51); // 0.025
 * @see torch.optim.lr_scheduler.ChainedScheduler, whose schedulers multiply one rate by their
 *   factors
 */
export function multiply(...factors: LearningRate[]): Schedule {
  if (factors.length === 0) fail('factors', 'at least one schedule', factors);
  const parts = factors.map((part, index) => asSchedule(`factors[${index}]`, part));
  const cycling = atMostOne(parts.filter(setsMomentum), 'that sets the momentum');
  atMostOne(parts.filter(isStatefulSchedule), 'with state');
  const configs = Object.freeze(parts.flatMap(({ config }) => (config ? [config] : [])));
  const config =
    configs.length === parts.length ? { name: 'multiply', factors: configs } : undefined;
  return combine(
    parts,
    config,
    (step) => parts.reduce((product, part) => product * part(step), 1),
    (step) => cycling?.momentum?.(step),
  );
}

function atMostOne(found: readonly Schedule[], which: string): Schedule | undefined {
  if (found.length <= 1) return found[0];
  const expected = `at most one schedule ${which}`;
  throw new ArgumentError('factors', expected, `${found.length} of them`);
}
