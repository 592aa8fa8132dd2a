/** `adal train`: one run, its summary, its folder. */
import { dirname } from 'node:path';
import { DataError } from '../index';
import { CHECKPOINT_FILE, readTrainCheckpoint, resumedSettings, type TrainCheckpoint } from './checkpoint-file';
import { CheckpointSaver } from './checkpoint-saver';
import type { Environment } from './environment';
import { EXIT_INTERRUPTED, UsageError } from './errors';
import { withInterrupt } from './interrupt';
import { hashOfData, type LoadedData, loadData } from './load-data';
import { checkTogether, formatOption, type TrainSettings } from './options';
import { createProgress } from './progress';
import { formatBackend, formatCount, formatDuration, formatLoss, formatPercent, formatPlural, pairs } from './report';
import { prepareRunFolder, RUN_FILE, WEIGHTS_FILE, writeRun } from './run-folder';
import { runSession, type SessionResult } from './session';

/**
 * Runs the command; the exit code.
 * @param typed names of the settings that were on the command line
 */
export async function train(given: TrainSettings, typed: ReadonlySet<string>, environment: Environment): Promise<number> {
  const from = given.resume === undefined ? undefined : readTrainCheckpoint(given.resume);
  const settings = from ? resumedSettings(given, typed, from) : given;
  checkTogether(settings);
  const startedAt = new Date();
  const data = loadSettledData(settings);
  const dataHash = hashOfData(data);
  if (from) checkResumed(from, settings, dataHash);
  return withInterrupt(async (signal) => {
    const progress = createProgress(settings.epochs);
    let folder = '';
    let saver: CheckpointSaver | undefined;
    const result = await runSession(data, settings, {
      signal,
      from,
      onStart: (info) => {
        folder =
          from && settings.out === undefined ? dirname(from.path) : prepareRunFolder(settings.out, runName(settings, data));
        saver = new CheckpointSaver(folder, { settings, dataHash });
        console.error(`${describeData(data)}\nBackend ${formatBackend(info)}${from ? `\n${describeResumption(from)}` : ''}`);
      },
      onProgress: (state, stateDict) => {
        progress.update(state);
        return saver?.saveNowAndThen(state.position, stateDict);
      },
    }).finally(() => progress.stop());
    await saver?.save(result.position, result.stateDict);
    const options = recordedOptions(settings, data);
    await writeRun(folder, { command: 'train', options, startedAt, environment, data }, result);
    console.log(`\n${summary(settings, data, result, folder)}`);
    warnOfSkips(result);
    if (!result.aborted) return 0;
    const done = `ended by Ctrl-C after ${formatCount(result.steps)} steps; what was learnt is kept`;
    console.error(`\nadal: ${done}: go on with --resume ${folder}`);
    return EXIT_INTERRUPTED;
  });
}

function loadSettledData({ data, target, testFraction, seed, model }: TrainSettings): LoadedData {
  return loadData(data, { target, testFraction, seed, classCount: model.outer?.classes });
}

function runName({ optimizer, preset, seed }: TrainSettings, { name }: LoadedData): string {
  return `${name}-${optimizer}${optimizer === 'adal' ? `-${preset}` : ''}-seed${seed}`;
}

/** Throws where there is nothing left to train, or other data; tells what makes the run another than an uninterrupted one. */
function checkResumed(from: TrainCheckpoint, settings: TrainSettings, dataHash: string): void {
  const { epochs } = from.position;
  if (settings.epochs < epochs.length || (settings.epochs === epochs.length && from.position.batch === 0)) {
    throw new UsageError('--epochs', `more than the ${epochs.length} that ${from.path} has behind it`, `${settings.epochs}`);
  }
  if (dataHash !== from.dataHash) {
    throw new DataError(`${formatOption(settings.data)}: expected the examples that ${from.path} was trained on, got others`);
  }
  const before = from.settings.epochs;
  if (before === settings.epochs || !dependsOnLength(settings)) return;
  console.error(
    `adal: note: the learning rate runs its course over ${settings.epochs} epochs now, no longer ${before}:` +
      ` a run that never stopped would have had other rates so far`,
  );
}

/** Whether the learning rate of a step depends on how many there are. */
function dependsOnLength({ preset, schedule }: TrainSettings): boolean {
  return schedule ? ['linear', 'cosine', 'one-cycle'].includes(schedule) : preset === 'practical';
}

function describeResumption({ path, position: { epochs, batch } }: TrainCheckpoint): string {
  return `Going on from ${path}: after ${formatPlural(epochs.length, 'epoch')}${batch === 0 ? '' : ` and ${formatPlural(batch, 'step')}`}`;
}

/** Says on stderr that steps were refused. */
export function warnOfSkips({ skippedSteps, steps }: SessionResult): void {
  if (skippedSteps === 0) return;
  const share = `${formatCount(skippedSteps)} of ${formatCount(steps)} steps`;
  console.error(`\nadal: warning: ${share} were skipped, as their gradients were not finite or too large: try a lower --lr`);
}

function describeData({ name, train, test }: LoadedData): string {
  return `${name}: ${formatCount(train.count)} examples to train on, ${formatCount(test.count)} to test`;
}

function summary(settings: TrainSettings, data: LoadedData, result: SessionResult, folder: string): string {
  const { train, test } = data;
  const best = result.bestEpoch === null ? '' : `; best ${formatPercent(result.bestTestAccuracy)} (epoch ${result.bestEpoch})`;
  const rate = `${formatCount(result.samplesPerSecond)} (${formatDuration(result.elapsedMs)} with evaluation)`;
  const preset = settings.optimizer === 'adal' ? `, ${settings.preset}` : '';
  const lr = settings.lr === undefined ? '' : `, lr ${settings.lr}${settings.schedule ? ` ${settings.schedule}` : ''}`;
  return pairs([
    ['data', `${data.name}, ${formatCount(train.count)} + ${formatCount(test.count)} examples, ${train.featureCount} features`],
    ['model', `${result.sizes.join('-')}, ${formatCount(result.parameterCount)} parameters`],
    ['optimizer', `${settings.optimizer}${preset}${lr}, batch ${settings.batchSize}, seed ${settings.seed}`],
    ['epochs', `${result.epochs.length} of ${settings.epochs}${result.aborted ? ' (stopped)' : ''}`],
    ['steps', `${formatCount(result.steps)}, ${formatCount(result.skippedSteps)} skipped`],
    ['train loss', formatLoss(result.trainLoss)],
    ['test loss', formatLoss(result.testLoss)],
    ['test accuracy', formatPercent(result.testAccuracy) + best],
    ['samples/s', rate],
    ['backend', formatBackend(result.info)],
    ['hash', result.parameterHash],
    ['run folder', `${folder} (${WEIGHTS_FILE}, ${CHECKPOINT_FILE}, ${RUN_FILE})`],
  ]);
}

/** As run.json keeps them. */
function recordedOptions(settings: TrainSettings, data: LoadedData): Record<string, unknown> {
  const { data: source, model, lr, schedule, target, testFraction, out, resume, ...rest } = settings;
  return {
    data: formatOption(source),
    target: target ?? null,
    testFraction: source.kind === 'idx' ? null : (testFraction ?? data.test.count / (data.train.count + data.test.count)),
    model: formatOption(model),
    lr: lr ?? null,
    schedule: schedule ?? null,
    ...rest,
    out: out ?? null,
    resume: resume ?? null,
  };
}
