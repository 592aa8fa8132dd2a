/** `adal train`: one run, its summary, its folder. */
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
import { formatBackend, formatCount, formatPlural } from './format';
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

/** Steps after which a checkpoint is prepared; whether it is written then, the store decides. */
const STEPS_PER_CHECKPOINT = 100;

/**
 * Runs the command; the exit code.
 * @param typed names of the options that were on the command line
 */
export async function train(
  given: TrainOptions,
  typed: ReadonlySet<string>,
  environment: Environment,
): Promise<number> {
  const place = given.resume === undefined ? null : locateCheckpoint(given.resume);
  // A run goes on in its own folder, unless it was copied out of it or --out names another.
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

/**
 * @param own the folder that the run goes on in; null for one to be made once everything else is
 * known to be right
 */
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
          // In a folder of its own the run can be resumed from the beginning.
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
      const done = `ended by Ctrl-C after ${formatCount(result.steps)} steps; what was learnt is kept`;
      tell(`\nadal: ${done}: go on with --resume ${printable(folder!.path)}`);
      return EXIT_INTERRUPTED;
    } catch (error) {
      // What was saved last is worth keeping, and the first error is the one to tell.
      await store?.flush().catch(() => {});
      throw error;
    } finally {
      progress.stop();
      folder?.release();
    }
  });
}

/** What of a run is in its folder. */
interface Kept {
  readonly files: readonly string[];
  /** What could not be written; null when all is there. */
  readonly problem: DataError | null;
}

/**
 * Writes the results, and the last checkpoint after them: neither depends on the other's success.
 */
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
    const advice = `everything learnt is in ${checkpoint}: make room, and --resume ${folder} writes the results`;
    return {
      files: [CHECKPOINT_FILE],
      problem: new DataError(`${results.message}; ${advice}`, { cause: results }),
    };
  }
  if (!failure) return { files: [CHECKPOINT_FILE, ...results], problem: null };
  return {
    files: results,
    problem: new DataError(`${failure.message}; the results are kept`, { cause: failure }),
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
 * Throws where there is nothing left to do, or other data; tells what makes the run another than an
 * uninterrupted one.
 */
function checkResumed(
  from: TrainCheckpoint,
  own: ClaimedFolder | null,
  settings: TrainSettings,
  dataHash: string,
): void {
  const done = from.epoch - 1;
  // A process that ended after the last epoch may not have written its results: then only these are
  // missing.
  if (settings.epochs < done || (settings.epochs === done && own && holdsResults(own.path, from))) {
    throw new UsageError(
      '--epochs',
      `more than the ${done} that ${from.path} has behind it`,
      `${settings.epochs}`,
    );
  }
  if (dataHash !== from.dataHash) {
    throw new DataError(
      `${formatData(settings.data)}: expected the examples that ${from.path} was trained on, got others`,
    );
  }
  const before = from.settings.epochs;
  if (before === settings.epochs || !dependsOnLength(settings)) return;
  tell(
    `adal: note: the learning rate runs its course over ${settings.epochs} epochs now, no longer ${before}:` +
      ' a run that never stopped would have had other rates so far',
  );
}

function describeResumption(
  { path, epoch, batch }: TrainCheckpoint,
  { epochs }: TrainSettings,
): string {
  const done = `after ${formatPlural(epoch - 1, 'epoch')}${batch === 0 ? '' : ` and ${formatPlural(batch, 'step')}`}`;
  const rest = epoch > epochs ? ', which are all: only the results are written' : '';
  return `Going on from ${printable(path)}: ${done}${rest}`;
}

function describeData({ name, train, test }: LoadedData): string {
  return `${printable(name)}: ${formatCount(train.count)} examples to train on, ${formatCount(test.count)} to test`;
}

/** As run.json keeps them. */
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
