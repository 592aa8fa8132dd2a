/**
 * Runs the suite on this machine: plans the study, gives jobs to runtimes, and stores the entries
 * that they report.
 */
import type { ColdStart, Result } from '../schema/result';
import { ROUNDS, SIZES } from './micro/plan';
import { createProgress } from './progress';
import { compact, type Entry } from './result';
import { ResultFile } from './result-file';
import { timeTorch } from './runners/pytorch';
import type { ColdSample, Lane, Runner } from './runners/runner';
import { planStudy } from './study/plan';
import { blankResult, jobsFor, type StudySettings, type Task, type Tasks } from './tasks';

const COLD_STARTS = { smoke: 2, standard: 11, full: 31 };

export interface BenchSettings extends StudySettings {
  readonly runners: readonly Runner[];
  /** Processes that train at once. */
  readonly lanes: number;
  readonly out: string;
  /** Built modules of other libraries, bench/peers/dist, ending in a slash. */
  readonly peers: URL;
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
      if (settings.shard.index === 1)
        await measureStarts(runner, settings, environment, position === 0, file);
    } catch (error) {
      failures.push(`${runner.name}: ${(error as Error).message}`);
    }
  }
  file.result.complete = failures.length === 0;
  file.save();
  return { result: file.result, failures };
}

/** Times what is a process of its own each time: cold starts, and on the first runtime PyTorch. */
async function measureStarts(
  runner: Runner,
  { tier, parts, peers }: BenchSettings,
  environment: string,
  first: boolean,
  file: ResultFile,
): Promise<void> {
  if (parts.includes('cold-start') && !file.has('coldStart', { environment, backend: 'simd' })) {
    file.add({
      type: 'coldStart',
      value: await coldStarts(runner, environment, COLD_STARTS[tier]),
    });
  }
  const timed = file.result.micro.some((row) => row.environment === environment && row.native);
  if (first && parts.includes('micro') && !timed) {
    for (const value of await timeTorch(environment, SIZES[tier], ROUNDS[tier], peers))
      file.add({ type: 'micro', value });
  }
}

async function coldStarts(runner: Runner, environment: string, count: number): Promise<ColdStart> {
  const samples: ColdSample[] = [];
  for (let start = 0; runner.coldStart && start < count; start++)
    samples.push(await runner.coldStart());
  const reason = runner.coldStart ? null : 'only processes are started cold';
  const list = (name: keyof ColdSample) => samples.map((sample) => compact(sample[name], 5)!);
  return {
    environment,
    backend: 'simd',
    status: reason === null ? 'ok' : 'unsupported',
    reason,
    importMs: list('importMs'),
    createMs: list('createMs'),
    firstStepMs: list('firstStepMs'),
  };
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

async function runOn(
  runner: Runner,
  tasks: Tasks,
  settings: BenchSettings,
  file: ResultFile,
  failures: string[],
): Promise<void> {
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
