/**
 * Lists the jobs that a runtime still has to do. Training is a function of its seeds, so the first
 * runtime alone trains; the hashes of every other runtime prove that it would get the same weights.
 */
import type { Result, Run } from '../schema/result';
import type { Job } from './job';
import { planTimed } from './micro/plan';
import { COMPARISONS, OPTIMIZERS, SUITE_VERSION, WORKLOADS } from './registry';
import { SCHEMA_VERSION } from './result';
import { SCHEDULES } from './schedules';
import type { ResultStore } from './store';
import { describeOptimizer } from './study/describe';
import { HASH_STEPS } from './study/hash-after';
import { type Cell, type Filters, shardOf } from './study/plan';
import type { Tier } from './types';

export const PARTS = [
  'training',
  'hashes',
  'streams',
  'micro',
  'speed',
  'threads',
  'cold-start',
] as const;
export type Part = (typeof PARTS)[number];

/** What a study is, wherever it runs. */
export interface StudySettings {
  readonly tier: Tier;
  readonly parts: readonly Part[];
  readonly filters: Filters;
  readonly shard: { readonly index: number; readonly count: number };
  readonly command: string;
  readonly package: Result['package'];
}

/** Of a cell's weights, about: to tell the time left. */
const WEIGHT_A_SECOND = 30_000;

export interface Task {
  readonly title: string;
  readonly weight: number;
  readonly job: Job;
}

/** Trainings share the machine; what is timed must have it alone. */
export interface Tasks {
  readonly shared: readonly Task[];
  readonly alone: readonly Task[];
}

export function jobsFor(
  settings: StudySettings,
  cells: readonly Cell[],
  known: ResultStore,
  environment: string,
  first: boolean,
): Tasks {
  const { parts, shard } = settings;
  const own = shardOf(cells, shard);
  const shared = first ? studyTasks(settings, own, known) : [];
  if (parts.includes('hashes')) shared.push(...hashTasks(own, environment, known));
  return {
    shared,
    alone: shard.index === 1 ? timedTasks(settings, cells, environment, known) : [],
  };
}

/** What is a function of seeds, and so is done on one runtime alone. */
function studyTasks(
  { tier, parts, shard }: StudySettings,
  cells: readonly Cell[],
  known: ResultStore,
): Task[] {
  const tasks: Task[] = [];
  for (const workload of new Set(cells.map((cell) => cell.workload))) {
    if (!known.has('workload', { id: workload }))
      tasks.push({ title: workload, weight: 1, job: { kind: 'workload', workload, tier } });
  }
  if (parts.includes('training'))
    tasks.push(
      ...cells.filter((cell) => !isDone(cell, known)).map((cell) => cellTask(cell, known)),
    );
  if (parts.includes('streams') && shard.index === 1 && known.result.streams.length === 0) {
    tasks.push({
      title: 'streams',
      weight: 1e5,
      job: { kind: 'streams', stepsFactor: tier === 'smoke' ? 0.01 : 1 },
    });
  }
  return tasks;
}

function hashTasks(cells: readonly Cell[], environment: string, known: ResultStore): Task[] {
  const steps = HASH_STEPS;
  return cells
    .filter(
      ({ track, workload, optimizer }) =>
        track === 'T0' && !known.has('hash', { environment, workload, optimizer, steps }),
    )
    .map(({ workload, optimizer }) => {
      return {
        title: `${workload} ${optimizer}, hash`,
        weight: 1e3,
        job: { kind: 'hash', workload, optimizer, steps },
      };
    });
}

function timedTasks(
  { tier, parts }: StudySettings,
  cells: readonly Cell[],
  environment: string,
  known: ResultStore,
): Task[] {
  return planTimed(tier, cells)
    .filter(({ part, job }) => parts.includes(part) && !isTimed(job, environment, known))
    .map(({ title, seconds, job }) => ({ title, weight: WEIGHT_A_SECOND * seconds, job }));
}

/** Whether its rows are there. */
function isTimed(job: Job, environment: string, { result }: ResultStore): boolean {
  const here = <T extends { environment: string }>(rows: readonly T[], is: (row: T) => boolean) =>
    rows.some((row) => row.environment === environment && is(row));
  switch (job.kind) {
    case 'step':
      return here(
        result.micro,
        ({ benchmark, n, layout, gradients }) =>
          benchmark.startsWith('step-') &&
          n === job.n &&
          layout === job.layout &&
          gradients === job.gradients,
      );
    case 'kernels':
      return here(result.micro, ({ benchmark }) => benchmark === 'triad');
    case 'fit':
      return here(result.micro, ({ benchmark }) => benchmark === `fit-${job.workload}`);
    case 'threads':
      return here(result.threadScaling, ({ n }) => n === job.n);
    case 'speed':
      return here(
        result.training.speed,
        ({ workload, optimizer }) => workload === job.workload && optimizer === job.optimizer,
      );
    default:
      return false;
  }
}

function cellTask(cell: Cell, known: ResultStore): Task {
  const title = `${cell.workload} ${cell.optimizer} ${cell.schedule} ${cell.track}`;
  const searches =
    cell.track === 'T1' ? known.result.training.searches.filter((each) => isOf(cell, each)) : [];
  return {
    title,
    weight: cell.weight,
    job: { kind: 'cell', cell, runs: runsOf(cell, known), searches },
  };
}

const isOf = (
  cell: Cell,
  { workload, optimizer, schedule }: Pick<Run, 'workload' | 'optimizer' | 'schedule'>,
): boolean =>
  workload === cell.workload && optimizer === cell.optimizer && schedule === cell.schedule;

const runsOf = (cell: Cell, { result }: ResultStore): Run[] =>
  result.training.runs.filter((run) => run.track === cell.track && isOf(cell, run));

/** Whether every final run is there, or the reason why there are none. */
function isDone(cell: Cell, known: ResultStore): boolean {
  const runs = runsOf(cell, known);
  if (runs.some(({ status }) => status === 'unsupported') || runs.length >= cell.finalSeeds)
    return true;
  const selection = known.result.training.selections.find((each) => isOf(cell, each));
  return cell.track === 'T1' && selection?.lr === null;
}

export function blankResult(settings: StudySettings, cells: readonly Cell[]): Result {
  const optimizers = new Set(cells.map(({ optimizer }) => optimizer));
  const workloads = new Set(cells.map(({ workload }) => workload));
  return {
    schemaVersion: SCHEMA_VERSION,
    suiteVersion: SUITE_VERSION,
    package: settings.package,
    commands: [settings.command],
    tier: settings.tier,
    shard: { ...settings.shard },
    date: new Date().toISOString(),
    complete: false,
    environments: [],
    workloads: [],
    optimizers: OPTIMIZERS.filter(({ id }) => optimizers.has(id)).map(describeOptimizer),
    schedules: SCHEDULES.map((schedule) => ({ ...schedule })),
    comparisons: COMPARISONS.filter(({ a, b }) => optimizers.has(a) && optimizers.has(b)).map(
      (comparison) => ({
        ...comparison,
        workloads: WORKLOADS.filter(({ id, ranked }) => ranked && workloads.has(id)).map(
          ({ id }) => id,
        ),
      }),
    ),
    micro: [],
    training: { runs: [], searches: [], selections: [], speed: [] },
    hashes: [],
    coldStart: [],
    threadScaling: [],
    streams: [],
  };
}
