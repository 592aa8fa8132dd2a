/** The confusion matrix: a table for few classes, the most frequent mistakes for many. */

import { formatCount, formatPercent } from './format';
import { clipText, printable } from './printable';
import { displayWidth, table } from './table';

/** More columns do not fit into a terminal. */
const MAX_TABLE_CLASSES = 12;
const MAX_NAME = 12;
/** Number of mistakes to list. */
const MOST = 10;

type Confusion = readonly (readonly number[])[];

/**
 * Formats a confusion matrix.
 *
 * @param confusion numbers of examples as confusion[actual][predicted]
 * @param names names of the classes
 * @default names indices of the classes
 * @param examples number of examples of each class. Those in no column had NaN outputs, and count
 *   as wrong
 * @default examples the sums of the rows
 */
export function formatConfusion(
  confusion: Confusion,
  names?: readonly string[],
  examples: readonly number[] = confusion.map(sum),
): string {
  const labels = confusion.map((_, index) => labelOf(names?.[index] ?? String(index)));
  const wide = labels.reduce(
    (width, label) => width + Math.max(displayWidth(label), 5) + 2,
    2 * MAX_NAME,
  );
  return confusion.length <= MAX_TABLE_CLASSES && wide <= 110
    ? fullTable(confusion, labels, examples)
    : topMistakes(confusion, labels, examples);
}

/** Returns the number of examples of each class without a prediction. */
function takenForNone(confusion: Confusion, examples: readonly number[]): number[] {
  return confusion.map((row, actual) => examples[actual] - sum(row));
}

/** Formats actual classes as rows and predicted classes as columns. */
function fullTable(
  confusion: Confusion,
  labels: readonly string[],
  examples: readonly number[],
): string {
  const none = takenForNone(confusion, examples);
  const extra = none.some((count) => count > 0) ? ['NaN'] : [];
  const rows = confusion.map((row, actual) => {
    const counts = [...row, ...extra.map(() => none[actual])];
    const cells = counts.map((count) => (count === 0 ? '·' : formatCount(count)));
    return [labels[actual], ...cells, formatPercent(shareRight(row[actual], examples[actual]))];
  });
  const right = [...labels, ...extra, ''].map(() => 'right' as const);
  return table(['actual ↓ predicted →', ...labels, ...extra, 'correct'], rows, ['left', ...right]);
}

function topMistakes(
  confusion: Confusion,
  labels: readonly string[],
  examples: readonly number[],
): string {
  const none = sum(takenForNone(confusion, examples));
  const note = `${formatCount(none)} examples have no prediction, since their outputs are NaN`;
  const mistakes = confusion.flatMap((row, actual) =>
    row.map((count, predicted) => ({ actual, predicted, count, share: count / examples[actual] })),
  );
  const top = mistakes
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count || a.actual - b.actual || a.predicted - b.predicted)
    .slice(0, MOST);
  if (top.length === 0) return none > 0 ? note : 'no mistakes';
  const rows = top.map(({ actual, predicted, count, share }) => [
    labels[actual],
    labels[predicted],
    formatCount(count),
    formatPercent(share),
  ]);
  const head = ['most frequent mistakes: actual', 'predicted', 'examples', 'of its class'];
  const text = table(head, rows, ['left', 'left', 'right', 'right']);
  return none > 0 ? `${text}\n${note}` : text;
}

/** Returns null for a class without examples. */
function shareRight(right: number, examples: number): number | null {
  return examples === 0 ? null : right / examples;
}

function sum(row: readonly number[]): number {
  return row.reduce((total, count) => total + count, 0);
}

/** Returns the name of a class; quotes it if it has invisible characters. */
function labelOf(name: string): string {
  const text = printable(name);
  const shown = /^\s*$/.test(text) || text !== name ? printable(JSON.stringify(name)) : text;
  return shown.length > MAX_NAME ? clipText(shown, MAX_NAME - 1) : shown;
}
