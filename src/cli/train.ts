/** `adal train`: one run, its summary, its folder. */
import { basename, dirname, join } from 'node:path';
import { fileStore } from '../checkpoint';
import { DataError } from '../index';
import { CHECKPOINT_FILE, extrasOf, readTrainCheckpoint, resumedOptions, type TrainCheckpoint } from './checkpoint-file';
import type { Environment } from './environment';
import { EXIT_INTERRUPTED, UsageError } from './errors';
import { withInterrupt } from './interrupt';
import { hashOfData, type LoadedData, loadData } from './load-data';
import { formatModel } from './model-spec';
import { dependsOnLength } from './optimizer-options';
import { formatData, settle, type TrainOptions, type TrainSettings } from './options';
import { PacedStore } from './paced-store';
import { createProgress } from './progress';
import { formatBackend, formatCount, formatPlural } from './report';
import { prepareRunFolder, writeRun } from './run-folder';
import { runSession } from './session';
import { summarize, warnOfSkips } from './summary';

/** Steps after which a checkpoint is prepared; whether it is written then, the store decides. */
const STEPS_PER_CHECKPOINT = 100;

/**
 * Runs the command; the exit code.
 * @param typed names of the options that were on the command line
 */
export async function train(given: TrainOptions, typed: ReadonlySet<string>, environment: Environment): Promise<number> {
  const from = given.resume === undefined ? null : readTrainCheckpoint(given.resume);
  const settings = settle(from ? resumedOptions(given, typed, from) : given);
  const startedAt = new Date();
  const data = loadData(settings.data, settings);
  const dataHash = hashOfData(data);
  if (from) checkResumed(from, settings, dataHash);
  return withInterrupt(async (signal) => {
    const progress = createProgress(settings.epochs);
    let folder = '';
    let store: PacedStore | undefined;
    const result = await runSession(data, settings, {
      signal,
      onStart: (info) => {
        folder = folderOf(settings, data, from);
        store = new PacedStore(fileStore(join(folder, CHECKPOINT_FILE)), from?.bytes ?? null);
        console.error(`${describeData(data)}\nBackend ${formatBackend(info)}${from ? `\n${describeResumption(from)}` : ''}`);
      },
      checkpoint: () => ({ store: store!, every: STEPS_PER_CHECKPOINT, extras: extrasOf(settings, dataHash) }),
      onProgress: (state) => progress.update(state),
    })
      .catch(async (error) => {
        // What was saved last is worth keeping, and the first error is the one to tell.
        await store?.flush().catch(() => {});
        throw error;
      })
      .finally(() => progress.stop());
    await store?.flush();
    const options = recordedOptions(settings, data);
    await writeRun(folder, { command: 'train', options, startedAt, environment, data }, result);
    console.log(`\n${summarize(settings, data, result, folder)}`);
    warnOfSkips(result);
    if (!result.aborted) return 0;
    const done = `ended by Ctrl-C after ${formatCount(result.steps)} steps; what was learnt is kept`;
    console.error(`\nadal: ${done}: go on with --resume ${folder}`);
    return EXIT_INTERRUPTED;
  });
}

/** A run goes on in its own folder, unless it was copied out of it or --out names another. */
function folderOf(settings: TrainSettings, data: LoadedData, from: TrainCheckpoint | null): string {
  if (from && settings.out === undefined && basename(from.path) === CHECKPOINT_FILE) return dirname(from.path);
  return prepareRunFolder(settings.out, runName(settings, data));
}

function runName({ optimizer, preset, seed }: TrainSettings, { name }: LoadedData): string {
  return `${name}-${optimizer}${optimizer === 'adal' ? `-${preset}` : ''}-seed${seed}`;
}

/** Throws where there is nothing left to train, or other data; tells what makes the run another than an uninterrupted one. */
function checkResumed(from: TrainCheckpoint, settings: TrainSettings, dataHash: string): void {
  const done = from.epoch - 1;
  if (settings.epochs < from.epoch) {
    throw new UsageError('--epochs', `more than the ${done} that ${from.path} has behind it`, `${settings.epochs}`);
  }
  if (dataHash !== from.dataHash) {
    throw new DataError(`${formatData(settings.data)}: expected the examples that ${from.path} was trained on, got others`);
  }
  const before = from.settings.epochs;
  if (before === settings.epochs || !dependsOnLength(settings)) return;
  console.error(
    `adal: note: the learning rate runs its course over ${settings.epochs} epochs now, no longer ${before}:` +
      ` a run that never stopped would have had other rates so far`,
  );
}

function describeResumption({ path, epoch, batch }: TrainCheckpoint): string {
  return `Going on from ${path}: after ${formatPlural(epoch - 1, 'epoch')}${batch === 0 ? '' : ` and ${formatPlural(batch, 'step')}`}`;
}

function describeData({ name, train, test }: LoadedData): string {
  return `${name}: ${formatCount(train.count)} examples to train on, ${formatCount(test.count)} to test`;
}

/** As run.json keeps them. */
function recordedOptions(settings: TrainSettings, data: LoadedData): Record<string, unknown> {
  const { data: source, model, lr, schedule, target, testFraction, out, resume, ...rest } = settings;
  return {
    data: formatData(source),
    target: target ?? null,
    testFraction: source.kind === 'idx' ? null : (testFraction ?? data.test.count / (data.train.count + data.test.count)),
    model: model.kind === 'definition' ? model.source : formatModel(model),
    lr: lr ?? null,
    schedule: schedule ?? null,
    ...rest,
    out: out ?? null,
    resume: resume ?? null,
  };
}
