/**
 * Chooses AdaL's default learning rate: of the rates that the suite's search looks at, the one that
 * is never far from the best.
 *
 * For each workload of the list and each rate, the rule as restated (1/√t) is trained with the
 * seeds of the suite's search, and the median final validation loss is taken. The regret of a rate
 * on a workload is
 *
 *     (median loss - smallest)/(median loss before the first step - smallest)
 *
 * where `smallest` is the smallest median loss of any rate,
 *
 * and the rate with the smallest worst regret over the workloads is chosen. A run that diverges
 * counts as an infinite loss. W1 has no validation part: its loss is that of the full quadratic
 * problem it minimises.
 */
import { createRuntime, type Runtime } from 'adal-wasm';
import { median } from '../../toolkit/statistics';
import type { DataSource } from '../data';
import { optimizerOf, workloadOf } from '../registry';
import { createSchedule } from '../schedules';
import type { Figures, PreparedWorkload, Workload } from '../types';
import { createConfigured } from './cell';
import { FIRST_SEARCH_SEED } from './plan';

/** The workloads that are ranked in the standard tier. */
const WORKLOADS = ['W1', 'W2-iris', 'W2-wine', 'W2-breast-cancer', 'W3', 'W5-small', 'W7-small'];
/** The search's nine half decades around 1e-2, and the one by which it was extended on W1. */
export const RATES = [1e-4, 3.162e-4, 1e-3, 3.162e-3, 1e-2, 3.162e-2, 0.1, 0.3162, 1, 3.162];

/** What the rates came to on one workload. */
export interface WorkloadRegrets {
  readonly workload: string;
  /** Median loss before the first step. */
  readonly initial: number;
  /** Median final loss of each rate, in the order of RATES. */
  readonly losses: readonly number[];
  readonly regrets: readonly number[];
}

export interface DefaultRate {
  readonly workloads: readonly WorkloadRegrets[];
  /** The greatest regret of each rate over the workloads. */
  readonly worst: readonly number[];
  readonly lr: number;
}

/**
 * @param report called after each workload
 * @throws MissingDataError before any training, if the data of a workload is missing
 */
export async function chooseDefaultRate(
  data: DataSource,
  report: (regrets: WorkloadRegrets) => void,
): Promise<DefaultRate> {
  // Data that is missing shows before minutes of training, not after them.
  const prepared: [Workload, PreparedWorkload][] = [];
  for (const workload of WORKLOADS.map(workloadOf))
    prepared.push([workload, await workload.prepare(data)]);
  const runtime = await createRuntime({ threads: 1 });
  try {
    const workloads: WorkloadRegrets[] = [];
    for (const [workload, problems] of prepared) {
      const regrets = await measure(runtime, workload, problems);
      workloads.push(regrets);
      report(regrets);
    }
    const worst = RATES.map((_, index) =>
      Math.max(...workloads.map(({ regrets }) => regrets[index])),
    );
    return { workloads, worst, lr: RATES[worst.indexOf(Math.min(...worst))] };
  } finally {
    runtime.dispose();
  }
}

async function measure(
  runtime: Runtime,
  workload: Workload,
  prepared: PreparedWorkload,
): Promise<WorkloadRegrets> {
  const { searchSeeds } = workload.tiers.standard!;
  const seeds = Array.from({ length: searchSeeds }, (_, k) => FIRST_SEARCH_SEED + k);
  const initials: number[] = [];
  const losses: number[] = [];
  for (const lr of RATES) {
    const finals: number[] = [];
    for (const seed of seeds) {
      const { initial, final } = await trainOnce(runtime, workload, prepared, lr, seed);
      if (initials.length < seeds.length) initials.push(initial);
      finals.push(final);
    }
    losses.push(median(finals));
  }
  const initial = median(initials);
  const best = Math.min(...losses);
  return {
    workload: workload.id,
    initial,
    losses,
    regrets: losses.map((loss) => (loss - best) / (initial - best)),
  };
}

async function trainOnce(
  runtime: Runtime,
  { tiers }: Workload,
  prepared: PreparedWorkload,
  lr: number,
  seed: number,
): Promise<{ initial: number; final: number }> {
  const problem = await prepared.create(runtime, seed);
  const totalSteps = tiers.standard!.epochs * problem.stepsPerEpoch;
  const schedule = createSchedule('inverse-sqrt', lr, totalSteps);
  const optimizer = await createConfigured(optimizerOf('adal'), problem, runtime, schedule);
  try {
    const initial = lossOf(problem.evaluate(optimizer, false));
    for (let step = 0; step < totalSteps; step++) {
      const loss = problem.computeGradients(optimizer, step);
      if (!Number.isFinite(loss) || optimizer.step().skipped) return { initial, final: Infinity };
    }
    return { initial, final: lossOf(problem.evaluate(optimizer, false)) };
  } finally {
    optimizer.dispose();
    problem.dispose();
  }
}

/** Infinite where it is not finite. */
function lossOf({ validationLoss, trainLoss }: Figures): number {
  return validationLoss ?? trainLoss ?? Infinity;
}
