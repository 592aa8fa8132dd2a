/** Formats numbers for the report, with as many digits as their interval justifies. */
import type { Estimate, Interval } from '../toolkit/statistics';

/** What stands for a figure that does not exist. */
export const NONE = '–';

/**
 * The decimal exponent: 3 of 4,810. From the digits, because Math.log10 may round 1000 to 2.9999….
 */
function exponentOf(value: number): number {
  return Number(value.toExponential().split('e')[1]);
}

/** Decimals so that `width` shows two digits, within what a table can hold. */
function decimalsFor(width: number, value: number): number {
  if (!(width > 0 && width < Infinity)) return decimalsOf(value);
  return Math.min(8, Math.max(0, 1 - exponentOf(width)));
}

/** Decimals for four significant digits. */
function decimalsOf(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || size === Infinity) return 0;
  return Math.min(8, Math.max(0, 3 - exponentOf(size)));
}

const formats = new Map<string, Intl.NumberFormat>();

/**
 * Thousands apart, and between so many digits behind the point. Formats are kept: to make one takes
 * longer than to use it.
 */
function localeText(value: number, least: number, most: number): string {
  const key = `${least} ${most}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

/** 87.112, 0.02514, 3.981e-7, 12,345: four significant digits, thousands apart. */
export function formatNumber(value: number | null, decimals?: number): string {
  if (value === null || Number.isNaN(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2).replace('e+', 'e');
  const digits = decimals ?? decimalsOf(value);
  return localeText(value, digits, digits);
}

/** What is known exactly, such as a setting: up to four digits, without zeros at the end. */
export function formatExact(value: number | null): string {
  if (value === null) return NONE;
  const short = Number(value.toPrecision(4));
  const size = Math.abs(short);
  return size !== 0 && (size < 1e-4 || size >= 1e7)
    ? short.toExponential().replace('e+', 'e')
    : localeText(short, 0, 8);
}

/** "87.112 ± 0.024": the value with the digits that its spread has. */
export function formatSpread(value: number, spread: number | null): string {
  if (spread === null || spread === 0) return formatNumber(value);
  const digits = decimalsFor(spread, value);
  return `${formatNumber(value, digits)} ± ${formatNumber(spread, digits)}`;
}

/** "[0.92, 1.03]", both ends with the digits that their distance asks for. */
export function formatInterval(interval: Interval | null): string {
  if (interval === null) return '';
  const [low, high] = interval;
  const digits = decimalsFor(high - low, high);
  return `[${formatNumber(low, digits)}, ${formatNumber(high, digits)}]`;
}

/** "0.976 ± 0.005": the value and the larger half of its interval, which need not be symmetric. */
export function formatEstimate({ value, interval }: Estimate): string {
  if (interval === null) return formatNumber(value);
  if (!interval.every(Number.isFinite)) return `${formatNumber(value)} ${formatInterval(interval)}`;
  const half = Math.max(interval[1] - value, value - interval[0]);
  return half === 0 ? `${formatNumber(value)} ± 0` : formatSpread(value, half);
}

/** "×1.04 [0.98, 1.09]". */
export function formatRatio({ value, interval }: Estimate): string {
  const digits = interval
    ? Math.max(2, Math.min(5, decimalsFor(interval[1] - interval[0], value)))
    : 2;
  const text = (ratio: number): string =>
    formatNumber(ratio, Number.isFinite(ratio) && ratio < 100 ? digits : undefined);
  const ends = interval ? ` [${interval.map(text).join(', ')}]` : '';
  return `×${text(value)}${ends}`;
}

/** 0.031 → "0.031", smaller ones "< 0.001". */
export function formatP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** 0.976 → "97.6%". */
export function formatShare(share: number | null): string {
  return share === null ? NONE : `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)}%`;
}

/** 1048576 → "1,048,576"; whole numbers only. */
export function formatCount(count: number): string {
  return localeText(count, 0, 3);
}

/** A time in the unit that suits it: "812 ns", "1.24 ms", "3.4 s". */
export function formatDuration(nanoseconds: number | null): string {
  if (nanoseconds === null) return NONE;
  for (const [unit, size] of [
    ['s', 1e9],
    ['ms', 1e6],
    ['µs', 1e3],
  ] as const) {
    if (nanoseconds >= size) return `${Number((nanoseconds / size).toPrecision(3))} ${unit}`;
  }
  return `${Number(nanoseconds.toPrecision(3))} ns`;
}
