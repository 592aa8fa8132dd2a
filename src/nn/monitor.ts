/** The figure of an epoch by which early stopping and `bestEpoch` judge it. */
import { fail } from '../validate';
import type { EvaluateOptions, Evaluation } from './evaluation';
import type { FitEpoch } from './fit-options';
import { lossKindOf } from './losses';
import { MetricTally } from './metrics';
import { watchedLoss } from './run-state';
import type { SampleFormat } from './samples';

const OF_VALIDATION = 'validation.';

/** Returns the figure of an epoch; by default its loss, and NaN for one that it does not have. */
export function figureOf(epoch: FitEpoch, monitor: string | undefined): number {
  if (monitor === undefined) return watchedLoss(epoch);
  const { validation } = epoch;
  const figures = monitor.startsWith(OF_VALIDATION)
    ? validation && figuresOf(validation)
    : { ...epoch.metrics, loss: epoch.loss };
  const name = monitor.startsWith(OF_VALIDATION) ? monitor.slice(OF_VALIDATION.length) : monitor;
  if (!figures || !Object.hasOwn(figures, name)) return Number.NaN;
  return figures[name] ?? Number.NaN;
}

/** Returns all figures of an evaluation by name. */
function figuresOf(evaluation: Evaluation): Record<string, number | null> {
  const { loss, accuracy, topKAccuracy, metrics, outputs = {} } = evaluation;
  const byOutput = Object.entries(outputs).flatMap(([name, own]) => [
    [`${name}.loss`, own.loss] as const,
    [`${name}.accuracy`, own.accuracy] as const,
  ]);
  return { ...Object.fromEntries(byOutput), accuracy, topKAccuracy, ...metrics, loss };
}

/**
 * Checks the name of a figure against those that the epochs will have.
 * @param trained the tally of the training metrics
 * @param validation options of the validation; null without one
 * @returns the name; undefined for the default
 * @throws ArgumentError for a figure that the epochs will not have
 */
export function checkMonitor(
  monitor: string | undefined,
  format: SampleFormat,
  trained: MetricTally | null,
  validation: EvaluateOptions | null,
): string | undefined {
  if (monitor === undefined) return undefined;
  const names = ['loss'];
  if (trained) names.push(...Object.keys(trained.result()));
  // A metric of an output named 'validation' reads as one of the validation.
  const known = names.filter((name) => !name.startsWith(OF_VALIDATION));
  if (validation)
    known.push(...validationNames(format, validation).map((name) => `${OF_VALIDATION}${name}`));
  if (!known.includes(monitor))
    fail('earlyStopping.monitor', known.map((name) => JSON.stringify(name)).join(' or '), monitor);
  return monitor === (validation ? `${OF_VALIDATION}loss` : 'loss') ? undefined : monitor;
}

function validationNames(format: SampleFormat, { topK, metrics = [] }: EvaluateOptions): string[] {
  const { targets } = format;
  const names = targets.flatMap(({ name, loss }) => {
    const prefix = targets.length > 1 ? `${name}.` : '';
    const isOnClasses = lossKindOf(loss).targets === 'classes';
    return [`${prefix}loss`, ...(isOnClasses ? [`${prefix}accuracy`] : [])];
  });
  if (topK !== undefined) names.push('topKAccuracy');
  names.push(...Object.keys(new MetricTally(format, metrics).result()));
  return [...new Set(['loss', ...names])];
}
