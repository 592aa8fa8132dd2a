/**
 * A run of the suite: plans, lets runtimes do the jobs, keeps what they report. What the result file holds is not done again.
 *
 * Training is a function of its seeds, so it is done once, on the first runtime; every other one shows by its hashes that it would
 * have come to the same.
 */

import type { Result, Run } from '../schema/result';
import type { Job } from './executor';
import { planTimed } from './micro/plan';
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

export const PARTS = ['training', 'hashes', 'streams', 'micro', 'speed', 'threads'] as const;
export type Part = (typeof PARTS)[number];

/** Of a cell's weights, about: to tell the time left. */
const WEIGHT_A_SECOND = 30_000;

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
    try {
      const environment = await identify(runner, file);
      const tasks = jobsFor(settings, cells, file, environment, position === 0);
      await runOn(runner, tasks, settings, file, failures);
    } catch (error) {
      failures.push(`${runner.name}: ${(error as Error).message}`);
    }
  }
  file.result.complete = failures.length === 0;
  file.save();
  return { result: file.result, failures };
}

/** The environment's id, which everything measured there carries. */
async function identify(runner: Runner, file: ResultFile): Promise<string> {
  const [lane] = await runner.open(1);
  let id = '';
  try {
    await lane.execute({ kind: 'environment' }, (entry) => {
      file.add(entry);
      if (entry.type === 'environment') id = entry.value.id;
    });
  } finally {
    await lane.close();
  }
  return id;
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

function jobsFor(settings: BenchSettings, cells: readonly Cell[], file: ResultFile, environment: string, first: boolean): Tasks {
  const { parts, shard } = settings;
  const own = shardOf(cells, shard);
  const shared = first ? studyTasks(settings, own, file) : [];
  if (parts.includes('hashes')) shared.push(...hashTasks(own, environment, file));
  return { shared, alone: shard.index === 1 ? timedTasks(settings, cells, environment, file) : [] };
}

/** What is a function of seeds, and so is done on one runtime alone. */
function studyTasks({ tier, parts, shard }: BenchSettings, cells: readonly Cell[], file: ResultFile): Task[] {
  const tasks: Task[] = [];
  for (const workload of new Set(cells.map((cell) => cell.workload))) {
    if (!file.has('workload', { id: workload }))
      tasks.push({ title: workload, weight: 1, job: { kind: 'workload', workload, tier } });
  }
  if (parts.includes('training')) tasks.push(...cells.filter((cell) => !isDone(cell, file)).map((cell) => cellTask(cell, file)));
  if (parts.includes('streams') && shard.index === 1 && file.result.streams.length === 0) {
    tasks.push({ title: 'streams', weight: 1e5, job: { kind: 'streams', stepsFactor: tier === 'smoke' ? 0.01 : 1 } });
  }
  return tasks;
}

function hashTasks(cells: readonly Cell[], environment: string, file: ResultFile): Task[] {
  const steps = HASH_STEPS;
  return cells
    .filter(({ track, workload, optimizer }) => track === 'T0' && !file.has('hash', { environment, workload, optimizer, steps }))
    .map(({ workload, optimizer }) => {
      return { title: `${workload} ${optimizer}, hash`, weight: 1e3, job: { kind: 'hash', workload, optimizer, steps } };
    });
}

function timedTasks({ tier, parts }: BenchSettings, cells: readonly Cell[], environment: string, file: ResultFile): Task[] {
  return planTimed(tier, cells)
    .filter(({ part, job }) => parts.includes(part) && !isTimed(job, environment, file))
    .map(({ title, seconds, job }) => ({ title, weight: WEIGHT_A_SECOND * seconds, job }));
}

/** Whether its rows are there. */
function isTimed(job: Job, environment: string, { result }: ResultFile): boolean {
  const here = <T extends { environment: string }>(rows: readonly T[], is: (row: T) => boolean) =>
    rows.some((row) => row.environment === environment && is(row));
  switch (job.kind) {
    case 'step':
      return here(
        result.micro,
        ({ benchmark, n, layout, gradients }) =>
          benchmark.startsWith('step-') && n === job.n && layout === job.layout && gradients === job.gradients,
      );
    case 'kernels':
      return here(result.micro, ({ benchmark }) => benchmark === 'triad');
    case 'fit':
      return here(result.micro, ({ benchmark }) => benchmark === `fit-${job.workload}`);
    case 'threads':
      return here(result.threadScaling, ({ n }) => n === job.n);
    case 'speed':
      return here(result.training.speed, ({ workload, optimizer }) => workload === job.workload && optimizer === job.optimizer);
    default:
      return false;
  }
}

function cellTask(cell: Cell, file: ResultFile): Task {
  const title = `${cell.workload} ${cell.optimizer} ${cell.schedule} ${cell.track}`;
  return { title, weight: cell.weight, job: { kind: 'cell', cell, known: file.runs((run) => isOf(cell, run)) } };
}

const isOf = (cell: Cell, { workload, optimizer, schedule, track }: Run): boolean =>
  workload === cell.workload && optimizer === cell.optimizer && schedule === cell.schedule && track === cell.track;

/** Whether every final run is there, or the reason why there are none. */
function isDone(cell: Cell, file: ResultFile): boolean {
  const runs = file.runs((run) => isOf(cell, run) && run.phase === 'final');
  if (runs.some(({ status }) => status === 'unsupported') || runs.length >= cell.finalSeeds) return true;
  const { workload, optimizer, schedule } = cell;
  const selection = file.result.training.selections.find(
    (each) => each.workload === workload && each.optimizer === optimizer && each.schedule === schedule,
  );
  return cell.track === 'T1' && selection?.lr === null;
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
