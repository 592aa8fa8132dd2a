/** `adal train`: one run, its summary, its folder. */
import type { Environment } from './environment';
import { EXIT_INTERRUPTED } from './errors';
import { withInterrupt } from './interrupt';
import { type LoadedData, loadData } from './load-data';
import { checkTogether, type DataSource, type TrainSettings } from './options';
import { createProgress } from './progress';
import { formatBackend, formatCount, formatDuration, formatLoss, formatPercent, pairs } from './report';
import { prepareRunFolder, RUN_FILE, WEIGHTS_FILE, writeRun } from './run-folder';
import { runSession, type SessionResult } from './session';

/** Runs the command; the exit code. */
export async function train(settings: TrainSettings, environment: Environment): Promise<number> {
  checkTogether(settings);
  const startedAt = new Date();
  const { data: source, target, testFraction, seed, optimizer, preset, out } = settings;
  const data = loadData(source, { target, testFraction, seed, classCount: settings.model.outer?.classes });
  return withInterrupt(async (signal) => {
    const progress = createProgress(settings.epochs);
    let folder = '';
    const result = await runSession(data, settings, {
      signal,
      onStart: (info) => {
        folder = prepareRunFolder(out, `${data.name}-${optimizer}${optimizer === 'adal' ? `-${preset}` : ''}-seed${seed}`);
        console.error(`${describeData(data)}\nBackend ${formatBackend(info)}`);
      },
      onProgress: (state) => progress.update(state),
    }).finally(() => progress.stop());
    const options = recordedOptions(settings, data);
    writeRun(folder, { command: 'train', options, startedAt, environment, data }, result);
    console.log(`\n${summary(settings, data, result, folder)}`);
    warnOfSkips(result);
    if (!result.aborted) return 0;
    console.error(`\nadal: ended by Ctrl-C after ${formatCount(result.steps)} steps; what was learnt is kept`);
    return EXIT_INTERRUPTED;
  });
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
    ['run folder', `${folder} (${WEIGHTS_FILE}, ${RUN_FILE})`],
  ]);
}

/** As run.json keeps them. */
function recordedOptions(settings: TrainSettings, data: LoadedData): Record<string, unknown> {
  const { data: source, model, lr, schedule, target, testFraction, out, ...rest } = settings;
  return {
    data: sourceText(source),
    target: target ?? null,
    testFraction: source.kind === 'idx' ? null : (testFraction ?? data.test.count / (data.train.count + data.test.count)),
    model: model.hidden.length === 0 ? 'softmax' : `mlp:${model.hidden.join('-')}`,
    lr: lr ?? null,
    schedule: schedule ?? null,
    ...rest,
    out: out ?? null,
  };
}

function sourceText(source: DataSource): string {
  return source.kind === 'digits' ? 'digits' : `${source.kind}:${source.path}`;
}
