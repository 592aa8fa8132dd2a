/** Which class was taken for which: as a table of few classes, and as the most frequent mistakes of many. */
import { clipText, printable } from './printable';
import { formatCount, formatPercent } from './report';
import { displayWidth, table } from './table';

/** More columns do not fit a terminal. */
const MAX_TABLE_CLASSES = 12;
const MAX_NAME = 12;
/** Mistakes listed. */
const MOST = 10;

/**
 * @param confusion confusion[actual][predicted], in examples
 * @param names of the classes; their indices where there are none
 */
export function formatConfusion(confusion: readonly (readonly number[])[], names?: readonly string[]): string {
  const labels = confusion.map((_, index) => labelOf(names?.[index] ?? String(index)));
  const wide = labels.reduce((width, label) => width + Math.max(displayWidth(label), 5) + 2, 2 * MAX_NAME);
  return confusion.length <= MAX_TABLE_CLASSES && wide <= 110 ? fullTable(confusion, labels) : topMistakes(confusion, labels);
}

/** Rows are what the examples are, columns what they were taken for. */
function fullTable(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const rows = confusion.map((row, actual) => {
    const cells = row.map((count) => (count === 0 ? '·' : formatCount(count)));
    return [labels[actual], ...cells, formatPercent(shareRight(row, actual))];
  });
  const right = [...labels, ''].map(() => 'right' as const);
  return table(['actual ↓ taken for →', ...labels, 'right'], rows, ['left', ...right]);
}

function topMistakes(confusion: readonly (readonly number[])[], labels: readonly string[]): string {
  const mistakes = confusion.flatMap((row, actual) =>
    row.map((count, predicted) => ({ actual, predicted, count, share: count / sum(row) })),
  );
  const top = mistakes
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count || a.actual - b.actual || a.predicted - b.predicted)
    .slice(0, MOST);
  if (top.length === 0) return 'no example was taken for another class';
  const rows = top.map(({ actual, predicted, count, share }) => [
    labels[actual],
    labels[predicted],
    formatCount(count),
    formatPercent(share),
  ]);
  return table(['most often confused: actual', 'taken for', 'examples', 'of its class'], rows, [
    'left',
    'left',
    'right',
    'right',
  ]);
}

/** Null for a class without examples. */
function shareRight(row: readonly number[], actual: number): number | null {
  const total = sum(row);
  return total === 0 ? null : row[actual] / total;
}

function sum(row: readonly number[]): number {
  return row.reduce((total, count) => total + count, 0);
}

/** What would not be seen is quoted. */
function labelOf(name: string): string {
  const text = printable(name);
  const shown = /^\s*$/.test(text) || text !== name ? printable(JSON.stringify(name)) : text;
  return shown.length > MAX_NAME ? clipText(shown, MAX_NAME - 1) : shown;
}
