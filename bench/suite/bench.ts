/**
 * A run of the suite: plans, lets runtimes do the jobs, keeps what they report. What the result file holds is not done again.
 *
 * Training is a function of its seeds, so it is done once, on the first runtime; every other one shows by its hashes that it would
 * have come to the same.
 */

import type { Result, Run } from '../schema/result';
import type { Job } from './executor';
import { createProgress } from './progress';
import { COMPARISONS, OPTIMIZERS, SUITE_VERSION, WORKLOADS } from './registry';
import { type Entry, SCHEMA_VERSION } from './result';
import { ResultFile } from './result-file';
import type { Lane, Runner } from './runners/runner';
import { SCHEDULES } from './schedules';
import { describeOptimizer } from './study/describe';
import { HASH_STEPS } from './study/hash-after';
import { type Cell, type Filters, planStudy, shardOf } from './study/plan';
import type { Tier } from './types';

export const PARTS = ['training', 'hashes', 'streams'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchSettings {
  readonly tier: Tier;
  readonly runners: readonly Runner[];
  readonly parts: readonly Part[];
  readonly filters: Filters;
  readonly shard: { readonly index: number; readonly count: number };
  /** Processes that train at once. */
  readonly lanes: number;
  readonly out: string;
  readonly command: string;
  readonly package: Result['package'];
}

export interface BenchOutcome {
  readonly result: Result;
  /** Jobs that failed, in words; a result with any is not complete. */
  readonly failures: readonly string[];
}

export async function runBench(settings: BenchSettings): Promise<BenchOutcome> {
  const cells = planStudy(settings.tier, settings.filters);
  const file = new ResultFile(settings.out, blankResult(settings, cells));
  const failures: string[] = [];
  for (const [position, runner] of settings.runners.entries()) {
    const missing = runner.missing();
    if (missing) {
      failures.push(missing);
      continue;
    }
    await runOn(runner, jobsFor(settings, cells, file, position === 0), settings, file, failures);
  }
  file.result.complete = failures.length === 0;
  file.save();
  return { result: file.result, failures };
}

interface Task {
  readonly title: string;
  readonly weight: number;
  readonly job: Job;
}

/** Trainings share the machine; what is timed must have it alone. */
interface Tasks {
  readonly shared: readonly Task[];
  readonly alone: readonly Task[];
}

function jobsFor(settings: BenchSettings, cells: readonly Cell[], file: ResultFile, first: boolean): Tasks {
  const { tier, parts, shard } = settings;
  const own = shardOf(cells, shard);
  const workloads = [...new Set(own.map(({ workload }) => workload))];
  const shared: Task[] = [];
  if (first) {
    for (const workload of workloads) shared.push({ title: workload, weight: 1, job: { kind: 'workload', workload, tier } });
    if (parts.includes('training')) shared.push(...own.filter((cell) => !isDone(cell, file)).map((cell) => cellTask(cell, file)));
    if (parts.includes('streams') && shard.index === 1) {
      shared.push({ title: 'streams', weight: 1e5, job: { kind: 'streams', stepsFactor: tier === 'smoke' ? 0.01 : 1 } });
    }
  }
  if (parts.includes('hashes')) {
    const pairs = new Set(own.filter(({ track }) => track === 'T0').map(({ workload, optimizer }) => `${workload}/${optimizer}`));
    for (const pair of pairs) {
      const [workload, optimizer] = pair.split('/');
      shared.push({ title: `${pair}, hash`, weight: 1e3, job: { kind: 'hash', workload, optimizer, steps: HASH_STEPS } });
    }
  }
  return { shared, alone: [] };
}

function cellTask(cell: Cell, file: ResultFile): Task {
  const title = `${cell.workload} ${cell.optimizer} ${cell.schedule} ${cell.track}`;
  return { title, weight: cell.weight, job: { kind: 'cell', cell, known: file.runs((run) => isOf(cell, run)) } };
}

const isOf = (cell: Cell, { workload, optimizer, schedule, track }: Run): boolean =>
  workload === cell.workload && optimizer === cell.optimizer && schedule === cell.schedule && track === cell.track;

/** Whether every final run is there, or the reason why there is none. */
function isDone(cell: Cell, file: ResultFile): boolean {
  const runs = file.runs((run) => isOf(cell, run) && run.phase === 'final');
  return runs.some(({ status }) => status === 'unsupported') || runs.length >= cell.finalSeeds;
}

async function runOn(runner: Runner, tasks: Tasks, settings: BenchSettings, file: ResultFile, failures: string[]): Promise<void> {
  const total = [...tasks.shared, ...tasks.alone].reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return;
  const progress = createProgress(runner.name, total);
  try {
    await drain(runner, tasks.shared, settings.lanes, file, progress.add, failures);
    await drain(runner, tasks.alone, 1, file, progress.add, failures);
  } finally {
    progress.stop();
    file.save();
  }
}

/** Lanes take tasks until none is left; one that failed has its lane replaced, and is told. */
async function drain(
  runner: Runner,
  tasks: readonly Task[],
  count: number,
  file: ResultFile,
  onDone: (weight: number, title: string) => void,
  failures: string[],
): Promise<void> {
  const queue = [...tasks];
  const work = async (lane: Lane): Promise<void> => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      try {
        await lane.execute(task.job, (entry: Entry) => file.add(entry));
      } catch (error) {
        failures.push(`${runner.name}: ${task.title}: ${(error as Error).message}`);
        await lane.close();
        [lane] = await runner.open(1);
      }
      onDone(task.weight, task.title);
    }
    await lane.close();
  };
  const lanes = await runner.open(Math.min(count, queue.length));
  await Promise.all(lanes.map(work));
}

function blankResult(settings: BenchSettings, cells: readonly Cell[]): Result {
  const optimizers = new Set(cells.map(({ optimizer }) => optimizer));
  const workloads = new Set(cells.map(({ workload }) => workload));
  return {
    schemaVersion: SCHEMA_VERSION,
    suiteVersion: SUITE_VERSION,
    package: settings.package,
    command: settings.command,
    tier: settings.tier,
    shard: { ...settings.shard },
    date: new Date().toISOString(),
    complete: false,
    environments: [],
    workloads: [],
    optimizers: OPTIMIZERS.filter(({ id }) => optimizers.has(id)).map(describeOptimizer),
    schedules: SCHEDULES.map((schedule) => ({ ...schedule })),
    comparisons: COMPARISONS.filter(({ a, b }) => optimizers.has(a) && optimizers.has(b)).map((comparison) => ({
      ...comparison,
      workloads: WORKLOADS.filter(({ id, ranked }) => ranked && workloads.has(id)).map(({ id }) => id),
    })),
    micro: [],
    training: { runs: [], selections: [], speed: [] },
    hashes: [],
    coldStart: [],
    threadScaling: [],
    streams: [],
  };
}
