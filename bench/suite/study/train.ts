/**
 * Trains once. Invariant: everything but the seconds is a function of problem, optimizer, schedule,
 * learning rate and seed; evaluation changes nothing.
 */
import type { Curve, Run } from '../../schema/result';
import { hashArrays } from '../../toolkit/hash';
import { compact } from '../result';
import {
  type FigureName,
  type Figures,
  NO_FIGURES,
  type Problem,
  type StudyOptimizer,
  type Workload,
} from '../types';

export interface TrainSettings {
  readonly workload: Workload;
  readonly totalSteps: number;
  /** How often figures are taken, at most; at the end in any case. */
  readonly evaluations: number;
  /** Points of the curve; 0 for none. */
  readonly curvePoints: number;
  /** Whether the test part is looked at: by final runs. */
  readonly withTest: boolean;
}

export type TrainOutcome = Pick<
  Run,
  | 'diverged'
  | 'divergedStep'
  | 'steps'
  | 'final'
  | 'best'
  | 'stepsToTarget'
  | 'secondsPerStep'
  | 'curve'
  | 'hash'
>;

/** Called before the optimizer's step, with gradients in place: what an ablation does to them. */
export type BeforeStep = (step: number) => void;

export function train(
  problem: Problem,
  optimizer: StudyOptimizer,
  settings: TrainSettings,
  beforeStep: BeforeStep | null,
): TrainOutcome {
  const { totalSteps, evaluations, withTest } = settings;
  const log = new Log(problem, optimizer, settings);
  const interval = Math.max(1, Math.ceil(totalSteps / evaluations));
  log.take(0, false);
  let elapsed = 0;
  let begin = performance.now();
  for (let step = 0; step < totalSteps; step++) {
    const loss = problem.computeGradients(optimizer, step);
    beforeStep?.(step);
    if (!Number.isFinite(loss) || optimizer.step().skipped) return log.diverge(step);
    const done = step + 1;
    if (done % interval !== 0 && done !== totalSteps) continue;
    elapsed += performance.now() - begin;
    log.take(done, done === totalSteps && withTest);
    begin = performance.now();
  }
  return log.finish(totalSteps, elapsed > 0 ? elapsed / 1000 / totalSteps : null);
}

/** The figures of a run as they come. */
class Log {
  readonly #problem: Problem;
  readonly #optimizer: StudyOptimizer;
  readonly #settings: TrainSettings;
  readonly #steps: number[] = [];
  readonly #figures: Figures[] = [];
  #best: { step: number | null; figures: Figures } = { step: null, figures: NO_FIGURES };
  #stepsToTarget: number | null = null;

  constructor(problem: Problem, optimizer: StudyOptimizer, settings: TrainSettings) {
    this.#problem = problem;
    this.#optimizer = optimizer;
    this.#settings = settings;
  }

  take(step: number, withTest: boolean): void {
    const { workload, withTest: testAtBest } = this.#settings;
    let figures = this.#problem.evaluate(this.#optimizer, withTest);
    const { field, direction } = workload.selectBy;
    if (step > 0 && isBetter(figures[field], this.#best.figures[field], direction)) {
      if (testAtBest && !withTest && workload.samples.test > 0)
        figures = this.#problem.evaluate(this.#optimizer, true);
      this.#best = { step, figures };
    }
    if (this.#stepsToTarget === null && reaches(figures, workload)) this.#stepsToTarget = step;
    this.#steps.push(step);
    this.#figures.push(figures);
  }

  diverge(step: number): TrainOutcome {
    const rest = { final: NO_FIGURES, secondsPerStep: null, hash: null };
    return { diverged: true, divergedStep: step, steps: step, ...this.#common(), ...rest };
  }

  finish(steps: number, secondsPerStep: number | null): TrainOutcome {
    const final = this.#figures.at(-1)!;
    const hash = hashArrays({ ...this.#optimizer.evaluationParams });
    const diverged = final[this.#settings.workload.selectBy.field] === null;
    const rest = { final: rounded(final), secondsPerStep: compact(secondsPerStep, 4), hash };
    return { diverged, divergedStep: diverged ? steps : null, steps, ...this.#common(), ...rest };
  }

  #common(): Pick<TrainOutcome, 'best' | 'stepsToTarget' | 'curve'> {
    const best = { step: this.#best.step, figures: rounded(this.#best.figures) };
    return { best, stepsToTarget: this.#stepsToTarget, curve: this.#curve() };
  }

  #curve(): Curve | null {
    const { curvePoints } = this.#settings;
    if (curvePoints === 0) return null;
    const kept = thin(this.#steps.length, curvePoints);
    const line = (name: FigureName) => {
      const values = kept.map((index) => compact(this.#figures[index][name], 4));
      return values.every((value) => value === null) ? null : values;
    };
    return {
      steps: kept.map((index) => this.#steps[index]),
      trainLoss: line('trainLoss'),
      validationLoss: line('validationLoss'),
      validationMetric: line('validationMetric'),
    };
  }
}

function isBetter(
  value: number | null,
  than: number | null,
  direction: 'lower' | 'higher',
): boolean {
  if (value === null) return false;
  return than === null || (direction === 'lower' ? value < than : value > than);
}

function reaches(figures: Figures, { target }: Workload): boolean {
  const value = target && figures[target.field];
  if (value === null) return false;
  return target!.field === 'validationMetric' ? value >= target!.value : value <= target!.value;
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, compact(value)]),
  ) as unknown as Figures;
}

/**
 * Indices of at most `points` of `count`, first and last among them, denser at the beginning: half
 * of them are logarithmic.
 */
export function thin(count: number, points: number): number[] {
  if (count <= points) return Array.from({ length: count }, (_, index) => index);
  const kept = new Set<number>([0, count - 1]);
  const even = (points - 2) >> 1;
  for (let k = 1; k <= even; k++) kept.add(Math.round((k * (count - 1)) / (even + 1)));
  for (
    let index = 1;
    kept.size < points && index < count;
    index = Math.max(index + 1, Math.round(index * 1.2))
  )
    kept.add(index);
  return [...kept].sort((a, b) => a - b);
}
