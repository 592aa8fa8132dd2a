/** What `adal train` prints at the end. */
import { formatConfusion } from './confusion';
import type { LoadedData } from './load-data';
import type { TrainSettings } from './options';
import { tell } from './output';
import { printable } from './printable';
import { formatBackend, formatCount, formatDuration, formatLoss, formatPercent } from './report';
import type { SessionResult } from './session';
import { foldedPairs } from './table';

/**
 * All of it: the figures, what they compare with, and what was taken for what.
 * @param files that the run's folder holds
 */
export function summarize(
  settings: TrainSettings,
  data: LoadedData,
  result: SessionResult,
  folder: string,
  files: readonly string[],
): string {
  const parts = [figures(settings, data, result, folder, files)];
  if (result.confusion) parts.push(formatConfusion(result.confusion, data.train.classNames));
  return parts.join('\n\n');
}

/** Says on stderr that steps were refused. */
export function warnOfSkips({ skippedSteps, steps }: SessionResult): void {
  if (skippedSteps === 0) return;
  const share = `${formatCount(skippedSteps)} of ${formatCount(steps)} steps`;
  tell(`\nadal: warning: ${share} were skipped, as their gradients were not finite or too large: try a lower --lr`);
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
  const rate = `${formatCount(result.samplesPerSecond)} (${formatDuration(result.elapsedMs)} with evaluation)`;
  const preset = settings.optimizer === 'adal' ? `, ${settings.preset}` : '';
  const lr = settings.lr === undefined ? '' : `, lr ${settings.lr}${settings.schedule ? ` ${settings.schedule}` : ''}`;
  return foldedPairs([
    [
      'data',
      `${printable(data.name)}, ${formatCount(train.count)} + ${formatCount(test.count)} examples, ${train.featureCount} features`,
    ],
    ['model', `${printable(model.title)}; ${formatCount(parameterCount)} parameters`],
    ['optimizer', `${settings.optimizer}${preset}${lr}, batch ${settings.batchSize}, seed ${settings.seed}`],
    ['epochs', `${epochs.length} of ${settings.epochs}${result.aborted ? ' (stopped)' : ''}`],
    ['steps', `${formatCount(result.steps)}, ${formatCount(result.skippedSteps)} skipped`],
    ['train loss', formatLoss(result.trainLoss)],
    ['test loss', formatLoss(result.testLoss) + (testAccuracy === null ? bestLoss(result) : '')],
    ...(data.ngramLosses ? [['n-grams', describeBaselines(data.ngramLosses)] as const] : []),
    ...(testAccuracy === null ? [] : [['test accuracy', formatPercent(testAccuracy) + bestAccuracy(result)] as const]),
    ['samples/s', rate],
    ['backend', formatBackend(result.info)],
    ['hash', result.parameterHash],
    ['run folder', `${printable(folder)} (${files.length > 0 ? files.join(', ') : 'nothing could be written'})`],
  ]);
}

function bestAccuracy({ bestEpoch, bestTestAccuracy }: SessionResult): string {
  return bestEpoch === null ? '' : `; best ${formatPercent(bestTestAccuracy)} (epoch ${bestEpoch})`;
}

function bestLoss({ bestEpoch, epochs }: SessionResult): string {
  return bestEpoch === null ? '' : `; best ${formatLoss(epochs[bestEpoch - 1].testLoss)} (epoch ${bestEpoch})`;
}

function describeBaselines(losses: readonly number[]): string {
  const each = losses.map((loss, index) => `${index + 1}-gram ${formatLoss(loss)}`);
  return `their test loss, nats a character: ${each.join(', ')}`;
}
