/** The summary that `adal train` prints at the end. */
import { formatConfusion } from './confusion';
import {
  formatBackend,
  formatCount,
  formatDuration,
  formatLoss,
  formatNumber,
  formatPercent,
  formatPlural,
  formatSplit,
} from './format';
import type { LoadedData } from './load-data';
import type { TrainSettings } from './options';
import { tell } from './output';
import { printable } from './printable';
import type { SessionResult } from './session';
import { foldedPairs } from './table';

/**
 * Formats the figures of a run and, for classification, the confusion matrix.
 *
 * @param files files that were written to the run folder
 */
export function summarize(
  settings: TrainSettings,
  data: LoadedData,
  result: SessionResult,
  folder: string,
  files: readonly string[],
): string {
  const parts = [figures(settings, data, result, folder, files)];
  if (result.confusion && 'labels' in data.test) {
    const examples = result.confusion.map(() => 0);
    for (const label of data.test.labels) examples[label]++;
    parts.push(formatConfusion(result.confusion, data.classNames, examples));
  }
  return parts.join('\n\n');
}

/** Warns on stderr if steps were skipped. */
export function warnOfSkips({ skippedSteps, steps }: SessionResult): void {
  if (skippedSteps === 0) return;
  const share = `${formatCount(skippedSteps)} of ${formatCount(steps)} steps`;
  tell(
    `\nadal: warning: ${share} were skipped because their gradients were not finite or too ` +
      'large: try a lower --lr',
  );
}

function figures(
  settings: TrainSettings,
  data: LoadedData,
  result: SessionResult,
  folder: string,
  files: readonly string[],
): string {
  const { train, test } = data;
  const { model, parameterCount, epochs, testAccuracy } = result;
  const elapsed = formatDuration(result.elapsedMs);
  const rate = `${formatCount(result.samplesPerSecond)} (${elapsed} with evaluation)`;
  const preset = settings.optimizer === 'adal' ? `, ${settings.preset}` : '';
  const lr =
    settings.lr === undefined
      ? ''
      : `, lr ${settings.lr}${settings.schedule ? ` ${settings.schedule}` : ''}`;
  return foldedPairs([
    [
      'data',
      `${printable(data.name)}, ${formatSplit(train, test)}, ` +
        formatPlural(train.featureCount, 'feature'),
    ],
    ['model', `${printable(model.title)}; ${formatCount(parameterCount)} parameters`],
    ...(data.standardizedTarget
      ? [['target', describeTarget(data.standardizedTarget)] as const]
      : []),
    [
      'optimizer',
      `${settings.optimizer}${preset}${lr}, batch ${settings.batchSize}, seed ${settings.seed}`,
    ],
    ['epochs', `${epochs.length} of ${settings.epochs}${result.aborted ? ' (stopped)' : ''}`],
    ['steps', `${formatCount(result.steps)}, ${formatCount(result.skippedSteps)} skipped`],
    ['train loss', formatLoss(result.trainLoss)],
    ['test loss', formatLoss(result.testLoss) + bestLoss(result)],
    ...(data.ngramLosses ? [['n-grams', describeBaselines(data.ngramLosses)] as const] : []),
    ...(testAccuracy === null
      ? []
      : [['test accuracy', formatPercent(testAccuracy) + bestAccuracy(result)] as const]),
    ['samples/s', rate],
    ['backend', formatBackend(result.info)],
    ['hash', result.parameterHash],
    [
      'run folder',
      `${printable(folder)} (${files.length > 0 ? files.join(', ') : 'no file could be written'})`,
    ],
  ]);
}

/** Formats the accuracy in the epoch of the lowest test loss. */
function bestAccuracy({ bestEpoch, bestTestAccuracy }: SessionResult): string {
  return bestEpoch === null
    ? ''
    : `; ${formatPercent(bestTestAccuracy)} in the best epoch (${bestEpoch})`;
}

function bestLoss({ bestEpoch, epochs }: SessionResult): string {
  return bestEpoch === null
    ? ''
    : `; best ${formatLoss(epochs[bestEpoch - 1].testLoss)} (epoch ${bestEpoch})`;
}

function describeTarget({
  mean,
  scale,
}: {
  readonly mean: number;
  readonly scale: number;
}): string {
  const scaled = `(y - ${formatNumber(mean)})/${formatNumber(scale)}`;
  return `scaled to ${scaled}; predicting the mean has a loss of 1`;
}

function describeBaselines(losses: readonly number[]): string {
  const each = losses.map((loss, index) => `${index + 1}-gram ${formatLoss(loss)}`);
  return `test loss in nats per character: ${each.join(', ')}`;
}
