/** Numbers and tables as text: no colours, no control codes, at most 80 columns where the content allows. */
import Table from 'cli-table3';
import type { RuntimeInfo } from '../index';

/** 4810 → "4,810". */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** 0.97327 → "97.33%". */
export function formatPercent(fraction: number | null): string {
  return fraction === null ? '–' : `${(100 * fraction).toFixed(2)}%`;
}

/** Four digits after the point, or an exponent for what would not show. */
export function formatLoss(loss: number | null): string {
  if (loss === null) return '–';
  return loss !== 0 && loss < 1e-3 ? loss.toExponential(2) : loss.toFixed(4);
}

export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 0.9995) return `${Math.round(milliseconds)} ms`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function formatBytes(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, 'GiB'] : bytes >= 2 ** 20 ? [2 ** 20, 'MiB'] : [2 ** 10, 'KiB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}

/** "simd, 1 thread (4,810 parameters: threads pay from 65,536 on)". */
export function formatBackend({ backend, backendReason, threads, threadsReason }: RuntimeInfo): string {
  const reasons = [backendReason, threadsReason].filter((reason) => reason !== '').join('; ');
  return `${backend}, ${formatPlural(threads, 'thread')} (${reasons})`;
}

/** The start of a hash, for comparing by eye. */
export function shortHash(hash: string): string {
  return hash.slice(0, 16);
}

const COLUMNS = 80;

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  right: '',
  'right-mid': '',
  mid: '',
  'mid-mid': '',
  middle: '  ',
};

const PLAIN = { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true };

/** Two columns: names and values. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  return render(new Table({ chars: NO_LINES, style: PLAIN }), rows);
}

/** Two columns, the second folded at its commas and spaces so that lines have at most 80 characters, where that is possible. */
export function foldedPairs(rows: readonly (readonly [string, string])[]): string {
  const width = COLUMNS - 2 - Math.max(...rows.map(([name]) => name.length));
  return pairs(rows.map(([name, value]) => [name, fold(value, width)]));
}

function fold(text: string, width: number): string {
  const lines = [''];
  for (const part of text.split(/(?<=[ ,])(?! )/)) {
    const line = lines[lines.length - 1];
    if (line !== '' && line.length + part.trimEnd().length > width) lines.push(part);
    else lines[lines.length - 1] = line + part;
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** A table with a line under its head. @param alignments of its columns; those left out are aligned left */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly ('left' | 'right')[] = [],
): string {
  const chars = { ...NO_LINES, mid: '─', 'mid-mid': '──' };
  return render(new Table({ head: [...head], chars, style: PLAIN, colAligns: [...alignments] }), rows);
}

/** Four digits, as short as they come: "0.1", "123.4", "1.235e-7". */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** Text from a file: what could steer a terminal is written out. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function render(target: Table.Table, rows: readonly (readonly string[])[]): string {
  for (const row of rows) target.push([...row]);
  return target
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
