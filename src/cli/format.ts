/** Formatting of numbers. */
import type { RuntimeInfo } from '../index';

/** Formats an integer: 4810 → "4,810". */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** Formats a fraction: 0.97327 → "97.33%". */
export function formatPercent(fraction: number | null): string {
  return fraction === null ? '–' : `${(100 * fraction).toFixed(2)}%`;
}

/** Formats a loss with four decimal places, or with an exponent if it is small. */
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
  const [unit, name] =
    bytes >= 2 ** 30 ? [2 ** 30, 'GiB'] : bytes >= 2 ** 20 ? [2 ** 20, 'MiB'] : [2 ** 10, 'KiB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}

/** Formats a backend: "simd, 1 thread (4,810 parameters: threads pay off from 65,536)". */
export function formatBackend({
  backend,
  backendReason,
  threads,
  threadsReason,
}: RuntimeInfo): string {
  const reasons = [backendReason, threadsReason].filter((reason) => reason !== '').join('; ');
  return `${backend}, ${formatPlural(threads, 'thread')} (${reasons})`;
}

/** Formats the sizes of a split: "1,348 training and 449 test examples". */
export function formatSplit(train: { count: number }, test: { count: number }): string {
  return `${formatCount(train.count)} training and ${formatCount(test.count)} test examples`;
}

/** Returns the beginning of a hash, to compare by eye. */
export function shortHash(hash: string): string {
  return hash.slice(0, 16);
}

/** Formats a number with at most four digits: "0.1", "123.4", "1.235e-7". */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(4)));
}

export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
