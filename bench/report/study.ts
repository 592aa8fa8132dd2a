/**
 * Indexes a result for the sections of the report. A run that diverged counts as the worst one, so
 * that an optimizer never gains by failing.
 */
import type {
  ListedComparison,
  OptimizerEntry,
  Result,
  Run,
  Track,
  Workload,
} from '../schema/result';
import {
  type Estimate,
  estimateMedian,
  probabilityOfImprovement,
  verdictOf,
} from '../toolkit/statistics';
import { groupBy, keyOfNames } from './group';
import type { Tone } from './table';

/** Under which conditions runs may be compared. */
export interface Condition {
  track: Track;
  /**
   * Of `schedules`; `OWN_SCHEDULE` on track T0, where each optimizer has the one that belongs to
   * it.
   */
  schedule: string;
}

const OWN_SCHEDULE = 'own';

const conditionOf = ({ track, schedule }: Condition): Condition => ({
  track,
  schedule: track === 'T0' ? OWN_SCHEDULE : schedule,
});

/** The optimizer that matrices are relative to. */
export const BASELINE = 'adam';

export const TRACKS: Record<Track, string> = {
  T0: 'each optimizer with its reference defaults, the schedule that belongs to it among them',
  T1:
    'equal budget: each optimizer with the best learning rate of the same grid, chosen on ' +
    'validation seeds',
};

/** Two groups of runs, paired by seed. */
export interface Comparison {
  seeds: number[];
  /** Of the primary metric, a - b. */
  difference: Estimate;
  differences: number[];
  /** Of losses, or of 1 - metric where higher is better: below 1 is better. */
  ratio: Estimate;
  improvement: Estimate;
  tone: Tone;
}

export class Study {
  readonly #groups: ReadonlyMap<string, Run[]>;
  readonly #comparisons = new Map<string, Comparison | null>();
  readonly #order: ReadonlyMap<string, number>;
  /** Of workloads, by id. */
  readonly #places: ReadonlyMap<string, number>;
  readonly #labels: ReadonlyMap<string, string>;
  readonly #schedules: ReadonlyMap<string, string>;
  /** By condition: what ran under it, each once. */
  readonly #ran: ReadonlyMap<string, readonly Run[]>;
  readonly #workloads = new Map<string, Workload[]>();
  readonly #optimizers = new Map<string, OptimizerEntry[]>();
  #conditions: Condition[] | null = null;
  /** By id: in a result they stand as they were done. */
  readonly allWorkloads: readonly Workload[];

  constructor(readonly result: Result) {
    const ran = result.training.runs.filter(({ status }) => status === 'ok');
    this.#groups = groupBy(ran, (run) => keyOf(run.workload, run.optimizer, run));
    for (const group of this.#groups.values()) group.sort((a, b) => a.seed - b.seed);
    this.#ran = groupBy(
      [...this.#groups.values()].map(([run]) => run!),
      nameOfCondition,
    );
    this.#labels = new Map(result.optimizers.map(({ id, label }) => [id, label]));
    this.#schedules = new Map(result.schedules.map(({ id, label }) => [id, label]));
    this.allWorkloads = [...result.workloads].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#places = new Map(this.allWorkloads.map(({ id }, place) => [id, place]));
    // What is compared gets the first colours, which differ most.
    const compared = result.comparisons.flatMap(({ a, b }) => [a, b]);
    const ids = new Set([...compared, BASELINE, ...result.optimizers.map(({ id }) => id)]);
    this.#order = new Map([...ids].map((id, index) => [id, index]));
  }

  /** Final runs by seed; none where nothing ran. */
  runs(workload: string, optimizer: string, condition: Condition): readonly Run[] {
    return this.#groups.get(keyOf(workload, optimizer, condition)) ?? [];
  }

  /** Tracks and schedules that something ran under; those of the listed comparisons first. */
  conditions(): Condition[] {
    if (this.#conditions === null) {
      const all = [...this.result.comparisons, ...[...this.#groups.values()].map(([run]) => run!)];
      const seen = new Map(all.map((each) => [nameOfCondition(each), conditionOf(each)]));
      this.#conditions = [...seen.values()].filter(
        (condition) => this.workloads(condition).length > 0,
      );
    }
    return this.#conditions;
  }

  /** Workloads that something ran on. */
  workloads(condition: Condition, ranked = true): Workload[] {
    const name = nameOfCondition(condition);
    const key = keyOfNames(name, String(ranked));
    let found = this.#workloads.get(key);
    if (!found) {
      const ids = new Set(this.#ran.get(name)?.map(({ workload }) => workload));
      found = ids.size
        ? this.allWorkloads.filter((workload) => workload.ranked === ranked && ids.has(workload.id))
        : [];
      this.#workloads.set(key, found);
    }
    return found;
  }

  /** Pairs of an optimizer and a workload that ran. */
  groupCount(condition: Condition): number {
    return this.#ran.get(nameOfCondition(condition))?.length ?? 0;
  }

  /** Optimizers that ran, ablations too. */
  optimizerCount(condition: Condition): number {
    return new Set(this.#ran.get(nameOfCondition(condition))?.map(({ optimizer }) => optimizer))
      .size;
  }

  /** The workloads of a listed comparison that something ran on. */
  workloadsOf(listed: ListedComparison): Workload[] {
    const ran = this.#ran.get(nameOfCondition(listed));
    if (!ran) return [];
    const ids = new Set(ran.map(({ workload }) => workload));
    const places = [...new Set(listed.workloads)]
      .filter((id) => ids.has(id))
      .map((id) => this.#places.get(id)!);
    return places
      .sort((a, b) => a - b)
      .map((place) => this.allWorkloads[place]!)
      .filter(({ ranked }) => ranked);
  }

  /**
   * Optimizers that ran on any of the ranked workloads: contenders, or those of one series of
   * ablations.
   */
  optimizers(condition: Condition, ablation: string | null = null): OptimizerEntry[] {
    const name = nameOfCondition(condition);
    const key = keyOfNames(name, ...(ablation === null ? [] : [ablation]));
    let found = this.#optimizers.get(key);
    if (!found) {
      const ranked = new Set(this.workloads(condition).map(({ id }) => id));
      const ids = new Set(
        this.#ran
          .get(name)
          ?.flatMap(({ workload, optimizer }) => (ranked.has(workload) ? [optimizer] : [])),
      );
      found = this.result.optimizers.filter(
        (each) => each.ablation === ablation && ids.has(each.id),
      );
      this.#optimizers.set(key, found);
    }
    return found;
  }

  /** Of its colour and dashes: the same everywhere. */
  index(optimizer: string): number {
    return this.#order.get(optimizer) ?? -1;
  }

  label(optimizer: string): string {
    return this.#labels.get(optimizer) ?? optimizer;
  }

  schedule(id: string): string {
    if (id === OWN_SCHEDULE) return 'own schedules';
    return this.#schedules.get(id) ?? id;
  }

  /** "T1, constant". */
  nameOf({ track, schedule }: Condition): string {
    return `${track}, ${this.schedule(schedule)}`;
  }

  /**
   * a against b on the seeds that both ran; null when there is none. Kept, since several sections
   * ask for the same.
   */
  compare(workload: Workload, a: string, b: string, condition: Condition): Comparison | null {
    const key = keyOfNames(keyOf(workload.id, a, condition), b);
    let comparison = this.#comparisons.get(key);
    if (comparison === undefined) {
      comparison = compareRuns(
        workload,
        this.runs(workload.id, a, condition),
        this.runs(workload.id, b, condition),
      );
      this.#comparisons.set(key, comparison);
    }
    return comparison;
  }
}

function keyOf(workload: string, optimizer: string, condition: Condition): string {
  const { track, schedule } = conditionOf(condition);
  return keyOfNames(workload, optimizer, track, schedule);
}

function nameOfCondition(condition: Condition): string {
  const { track, schedule } = conditionOf(condition);
  return keyOfNames(track, schedule);
}

/**
 * The primary figure of a run: null when it was not measured, the worst there is when the run
 * diverged.
 */
export function primaryOf(run: Run, { metric }: Workload): number | null {
  if (run.diverged) return metric.direction === 'lower' ? Infinity : -Infinity;
  return run.final[metric.field];
}

/** The primary figures that there are. */
export function primaries(runs: readonly Run[], workload: Workload): number[] {
  return runs.map((run) => primaryOf(run, workload)).filter((value) => value !== null);
}

/** Pairs two groups by seed, with a figure of each; seeds of which either has none are left out. */
export function pairBySeed(
  a: readonly Run[],
  b: readonly Run[],
  figure: (run: Run) => number | null,
): { seeds: number[]; a: number[]; b: number[] } {
  const pairs = { seeds: [] as number[], a: [] as number[], b: [] as number[] };
  const others = new Map(b.map((run) => [run.seed, figure(run)]));
  for (const run of a) {
    const [mine, other] = [figure(run), others.get(run.seed)];
    if (mine === null || other === null || other === undefined) continue;
    pairs.seeds.push(run.seed);
    pairs.a.push(mine);
    pairs.b.push(other);
  }
  return pairs;
}

/** x - y where two failures are a tie. */
export const differenceOf = (x: number, y: number): number => (x === y ? 0 : x - y);

/** x / y where two failures, and two zeros, are a tie. */
export const ratioOf = (x: number, y: number): number => (x === y ? 1 : x / y);

/** What a difference of the primary metric means; nothing while its interval includes zero. */
export function toneOf(difference: Estimate, direction: 'lower' | 'higher'): Tone {
  const verdict = verdictOf(difference, 0);
  if (verdict === 'undecided') return 'undecided';
  return verdict === direction ? 'better' : 'worse';
}

function compareRuns(
  workload: Workload,
  runsA: readonly Run[],
  runsB: readonly Run[],
): Comparison | null {
  const { seeds, a, b } = pairBySeed(runsA, runsB, (run) => primaryOf(run, workload));
  if (seeds.length === 0) return null;
  const { direction } = workload.metric;
  const differences = a.map((value, i) => differenceOf(value, b[i]!));
  const error = (value: number): number => (direction === 'higher' ? 1 - value : value);
  const ratios = a.map((value, i) => ratioOf(error(value), error(b[i]!)));
  const difference = estimateMedian(differences);
  return {
    seeds,
    differences,
    difference,
    ratio: estimateMedian(ratios),
    improvement: probabilityOfImprovement(a, b, direction),
    tone: toneOf(difference, direction),
  };
}
