/** `adal train`: runs the training, prints the summary and writes the run folder. */
import { basename, dirname, join } from 'node:path';
import { fileStore } from '../checkpoint';
import { DataError } from '../index';
import {
  CHECKPOINT_FILE,
  extrasOf,
  locateCheckpoint,
  readTrainCheckpoint,
  resumedOptions,
  type TrainCheckpoint,
} from './checkpoint-file';
import type { Environment } from './environment';
import { EXIT_INTERRUPTED, UsageError } from './errors';
import { formatBackend, formatPlural, formatSplit } from './format';
import { withInterrupt } from './interrupt';
import { hashOfData, type LoadedData, loadData } from './load-data';
import { formatModel } from './model-spec';
import { dependsOnLength } from './optimizer-options';
import { formatData, settle, type TrainOptions, type TrainSettings } from './options';
import { print, tell } from './output';
import { printable } from './printable';
import { createProgress } from './progress';
import {
  type ClaimedFolder,
  claimRunFolder,
  holdsResults,
  prepareRunFolder,
  type RunContext,
  RunFileError,
  writeRun,
} from './run-folder';
import { runSession, type SessionResult } from './session';
import { summarize, warnOfSkips } from './summary';
import { ThrottledStore } from './throttled-store';

/** Number of steps between checkpoints; the store writes at most one per second. */
const STEPS_PER_CHECKPOINT = 100;

/**
 * Runs the command and returns the exit code.
 *
 * @param typed names of the options that are on the command line
 */
export async function train(
  given: TrainOptions,
  typed: ReadonlySet<string>,
  environment: Environment,
): Promise<number> {
  const place = given.resume === undefined ? null : locateCheckpoint(given.resume);
  // A run continues in its own folder, unless its checkpoint was moved or --out names another.
  const own =
    place !== null && given.out === undefined && basename(place) === CHECKPOINT_FILE
      ? dirname(place)
      : null;
  const folder = own === null ? null : await claimRunFolder(own);
  try {
    return await trainIn(
      folder,
      place === null ? null : readTrainCheckpoint(place),
      given,
      typed,
      environment,
    );
  } finally {
    folder?.release();
  }
}

/** @param own folder in which the run continues; null to create one after all other checks */
async function trainIn(
  own: ClaimedFolder | null,
  from: TrainCheckpoint | null,
  given: TrainOptions,
  typed: ReadonlySet<string>,
  environment: Environment,
): Promise<number> {
  const settings = settle(from ? resumedOptions(given, typed, from) : given);
  const startedAt = new Date();
  const data = loadData(settings.data, { ...settings, names: from?.names });
  const dataHash = hashOfData(data);
  if (from) checkResumed(from, own, settings, dataHash);
  return withInterrupt(async (signal) => {
    const progress = createProgress(settings.epochs);
    let folder = own;
    let store: ThrottledStore | undefined;
    try {
      const result = await runSession(data, settings, {
        signal,
        onStart: async (info) => {
          folder ??= await prepareRunFolder(settings.out, runName(settings, data));
          const path = join(folder.path, CHECKPOINT_FILE);
          store = new ThrottledStore(fileStore(path), path, from?.bytes ?? null);
          tell(`${describeData(data)}\nBackend ${formatBackend(info)}`);
          if (from) tell(describeResumption(from, settings));
          // So that the run can be resumed in its new folder before its first own checkpoint.
          if (from && folder !== own) await store.save(from.bytes);
        },
        checkpoint: () => ({
          store: store!,
          every: STEPS_PER_CHECKPOINT,
          extras: extrasOf(settings, data, dataHash),
        }),
        onProgress: (state) => progress.update(state),
      });
      progress.stop();
      const context = {
        command: 'train',
        options: recordedOptions(settings, data),
        startedAt,
        environment,
        data,
      };
      const { files, problem } = await keep(folder!.path, context, result, store!);
      print(`\n${summarize(settings, data, result, folder!.path, files)}`);
      warnOfSkips(result);
      if (problem) throw problem;
      if (!result.aborted) return 0;
      const steps = formatPlural(result.steps, 'step');
      const advice = `--resume ${printable(folder!.path)} continues the run`;
      tell(`\nadal: stopped by Ctrl-C after ${steps}; the progress is saved: ${advice}`);
      return EXIT_INTERRUPTED;
    } catch (error) {
      // Writes the last checkpoint, and reports the first error.
      await store?.flush().catch(() => {});
      throw error;
    } finally {
      progress.stop();
      folder?.release();
    }
  });
}

/** Files of a run that could be written. */
interface Kept {
  readonly files: readonly string[];
  /** Error about a file that could not be written; null if there is none. */
  readonly problem: DataError | null;
}

/** Writes the results, then the last checkpoint, even if the results could not be written. */
async function keep(
  folder: string,
  context: RunContext,
  result: SessionResult,
  store: ThrottledStore,
): Promise<Kept> {
  const checkpoint = join(folder, CHECKPOINT_FILE);
  const results = await writeRun(folder, context, result).catch(asFileError);
  const failure = await store.flush().then(
    () => null,
    (error) => new RunFileError(checkpoint, error),
  );
  if (results instanceof RunFileError) {
    if (failure) return { files: [], problem: results };
    const advice = `free some space, then --resume ${folder} writes the results`;
    const message = `${results.message}; all progress is in ${checkpoint}: ${advice}`;
    return { files: [CHECKPOINT_FILE], problem: new DataError(message, { cause: results }) };
  }
  if (!failure) return { files: [CHECKPOINT_FILE, ...results], problem: null };
  return {
    files: results,
    problem: new DataError(`${failure.message}; the results were written`, { cause: failure }),
  };
}

function asFileError(error: unknown): RunFileError {
  if (error instanceof RunFileError) return error;
  throw error;
}

function runName({ optimizer, preset, seed }: TrainSettings, { name }: LoadedData): string {
  return `${name}-${optimizer}${optimizer === 'adal' ? `-${preset}` : ''}-seed${seed}`;
}

/**
 * Throws if there is nothing left to do or the data have changed. Prints a note if the run will
 * differ from one that was never interrupted.
 */
function checkResumed(
  from: TrainCheckpoint,
  own: ClaimedFolder | null,
  settings: TrainSettings,
  dataHash: string,
): void {
  const done = from.epoch - 1;
  // If a process ended after the last epoch, only its results may be missing.
  if (settings.epochs < done || (settings.epochs === done && own && holdsResults(own.path, from))) {
    throw new UsageError(
      '--epochs',
      `more than the ${done} that ${from.path} has completed`,
      `${settings.epochs}`,
    );
  }
  if (dataHash !== from.dataHash) {
    const expected = `the examples on which ${from.path} was trained`;
    throw new DataError(`${formatData(settings.data)}: expected ${expected}, got others`);
  }
  const before = from.settings.epochs;
  if (before === settings.epochs || !dependsOnLength(settings)) return;
  tell(
    `adal: note: the schedule now covers ${settings.epochs} epochs instead of ${before}, so the ` +
      `result will differ from a run of ${settings.epochs} epochs that never stopped`,
  );
}

function describeResumption(
  { path, epoch, batch }: TrainCheckpoint,
  { epochs }: TrainSettings,
): string {
  const steps = batch === 0 ? '' : ` and ${formatPlural(batch, 'step')}`;
  const rest = epoch > epochs ? '; all epochs are done, only the results are missing' : '';
  const epochsDone = formatPlural(epoch - 1, 'epoch');
  return `Resuming from ${printable(path)} after ${epochsDone}${steps}${rest}`;
}

function describeData({ name, train, test }: LoadedData): string {
  return `${printable(name)}: ${formatSplit(train, test)}`;
}

/** Returns the options as run.json records them. */
function recordedOptions(settings: TrainSettings, data: LoadedData): Record<string, unknown> {
  const {
    data: source,
    model,
    lr,
    schedule,
    target,
    header,
    task,
    testFraction,
    out,
    resume,
    ...rest
  } = settings;
  return {
    data: formatData(source),
    target: target ?? null,
    header: data.header,
    task: task ?? null,
    testFraction:
      source.kind === 'idx'
        ? null
        : (testFraction ?? data.test.count / (data.train.count + data.test.count)),
    model: model.kind === 'definition' ? model.source : formatModel(model),
    lr: lr ?? null,
    schedule: schedule ?? null,
    ...rest,
    out: out ?? null,
    resume: resume ?? null,
  };
}
