/** A run of the suite on this machine: plans, lets runtimes do the jobs, keeps what they report. */
import type { Result } from '../schema/result';
import { createProgress } from './progress';
import type { Entry } from './result';
import { ResultFile } from './result-file';
import type { Lane, Runner } from './runners/runner';
import { planStudy } from './study/plan';
import { blankResult, jobsFor, type StudySettings, type Task, type Tasks } from './tasks';

export interface BenchSettings extends StudySettings {
  readonly runners: readonly Runner[];
  /** Processes that train at once. */
  readonly lanes: number;
  readonly out: string;
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
