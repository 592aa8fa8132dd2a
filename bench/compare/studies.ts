/** Training compared seed by seed: final figures, and the bits of the final weights. */
import type { Result, Run, Workload } from '../schema/result';
import { type Estimate, estimateMedian, median, verdictOf } from '../toolkit/statistics';
import type { Cell, StudyComparison, StudyVerdict } from './comparison';

const cellOf = ({ workload, optimizer, track, schedule }: Run): Cell => ({
  workload,
  optimizer,
  track,
  schedule: track === 'T0' ? '' : schedule,
});

/** Describes a cell in words. */
export const cellLabel = ({ workload, optimizer, track, schedule }: Cell): string =>
  [workload, optimizer, track, schedule].filter(Boolean).join(' ');

/** Returns the runs that were done, by cell. */
function cellsOf(result: Result): Map<string, Run[]> {
  const cells = new Map<string, Run[]>();
  for (const run of result.training.runs.filter(({ status }) => status === 'ok')) {
    const key = cellLabel(cellOf(run));
    const runs = cells.get(key);
    if (runs) runs.push(run);
    else cells.set(key, [run]);
  }
  return cells;
}

/** Returns a run's figure; the worst there is for one that diverged. */
function figureOf({ final }: Run, { metric }: Workload): number {
  return final[metric.field] ?? (metric.direction === 'lower' ? Infinity : -Infinity);
}

/** Two runs that diverged are alike: their difference is not NaN. */
const subtract = (x: number, y: number): number => (x === y ? 0 : x - y);

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function verdictFor(
  differences: readonly number[],
  difference: Estimate,
  direction: 'lower' | 'higher',
): StudyVerdict {
  if (differences.every((each) => each === 0)) return 'same';
  const verdict = verdictOf(difference, 0);
  if (verdict === 'undecided') return 'undecided';
  return verdict === direction ? 'better' : 'worse';
}

function compareCell(
  runsA: readonly Run[],
  runsB: readonly Run[],
  workload: Workload,
  level: number,
): StudyComparison | null {
  const bySeed = new Map(runsB.map((run) => [run.seed, run]));
  const pairs = runsA.flatMap((run) => {
    const other = bySeed.get(run.seed);
    return other ? [[run, other] as const] : [];
  });
  const [first] = pairs;
  if (!first) return null;
  const figuresA = pairs.map(([run]) => figureOf(run, workload));
  const figuresB = pairs.map(([, run]) => figureOf(run, workload));
  const differences = figuresB.map((figure, i) => subtract(figure, figuresA[i]!));
  const difference = estimateMedian(differences, { level });
  const hashed = pairs.filter(([run, other]) => run.hash !== null && other.hash !== null);
  const [lrA, lrB] = [first[0].lr, first[1].lr];
  const { name, direction } = workload.metric;
  return {
    cell: cellOf(first[0]),
    metric: name,
    direction,
    seeds: pairs.length,
    a: finite(median(figuresA)),
    b: finite(median(figuresB)),
    difference,
    verdict: verdictFor(differences, difference, direction),
    hashes: {
      compared: hashed.length,
      changed: hashed.filter(([run, other]) => run.hash !== other.hash).length,
    },
    lr: lrA === lrB ? null : { a: lrA, b: lrB },
  };
}

export interface Studies {
  readonly studies: readonly StudyComparison[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  readonly warnings: readonly string[];
}

/** Compares the training of two results. */
export function compareStudies(a: Result, b: Result, level: number): Studies {
  const [cellsA, cellsB] = [cellsOf(a), cellsOf(b)];
  const workloadsA = new Map(a.workloads.map((workload) => [workload.id, workload]));
  const workloadsB = new Map(b.workloads.map((workload) => [workload.id, workload]));
  const studies: StudyComparison[] = [];
  const onlyA: string[] = [];
  const changedWorkloads = new Set<string>();
  for (const [key, runs] of cellsA) {
    const others = cellsB.get(key);
    const { workload: id } = runs[0]!;
    const [workload, other] = [workloadsA.get(id)!, workloadsB.get(id)];
    if (!others || !other) {
      onlyA.push(key);
      continue;
    }
    if (workload.version !== other.version || workload.metric.field !== other.metric.field) {
      changedWorkloads.add(id);
      continue;
    }
    const comparison = compareCell(runs, others, workload, level);
    if (comparison) studies.push(comparison);
    else onlyA.push(`${key}: its seeds`);
  }
  const warnings = [...changedWorkloads].map((id) => {
    const [was, is] = [workloadsA.get(id)!.version, workloadsB.get(id)!.version];
    return `${id} is another workload in B (version ${was} → ${is}): its figures are not compared`;
  });
  const onlyB = [...cellsB.keys()].filter((key) => !cellsA.has(key));
  return { studies, onlyA, onlyB, warnings };
}
