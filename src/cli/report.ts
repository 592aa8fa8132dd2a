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
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function formatBytes(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, 'GiB'] : bytes >= 2 ** 20 ? [2 ** 20, 'MiB'] : [2 ** 10, 'KiB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}

/** "simd, 1 thread (4,810 parameters: threads pay from 65,536 on)". */
export function formatBackend({ backend, backendReason, threads, threadsReason }: RuntimeInfo): string {
  const reasons = [backendReason, threadsReason].filter((reason) => reason !== '').join('; ');
  return `${backend}, ${formatThreads(threads)} (${reasons})`;
}

export function formatThreads(threads: number): string {
  return `${threads} thread${threads === 1 ? '' : 's'}`;
}

/** The start of a hash, for comparing by eye. */
export function shortHash(hash: string): string {
  return hash.slice(0, 16);
}

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

/** A table with a line under its head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const chars = { ...NO_LINES, mid: '─', 'mid-mid': '──' };
  return render(new Table({ head: [...head], chars, style: PLAIN }), rows);
}

function render(target: Table.Table, rows: readonly (readonly string[])[]): string {
  for (const row of rows) target.push([...row]);
  return target
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
