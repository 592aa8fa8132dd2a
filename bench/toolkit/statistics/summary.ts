/**
 * Figures that describe one sample: its middle and its spread. None changes its argument; all need
 * at least one value.
 */
import { fail } from '../arguments';

/**
 * The values in ascending order, checked: at least one, no NaN (infinities may stand for failures).
 */
export function ascending(values: readonly number[]): Float64Array {
  if (values.length === 0) fail('values', 'at least one number', values);
  const sorted = Float64Array.from(values);
  if (sorted.some(Number.isNaN)) fail('values', 'numbers, none of them NaN', values);
  return sorted.sort();
}

/**
 * The p-quantile of sorted values, interpolated linearly between neighbours (type 7 of Hyndman &
 * Fan 1996; numpy's default).
 */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return between(low, high, position - below);
}

/** low + part·(high - low); equal or infinite ends do not make ∞ - ∞, nor part = 0 makes 0·∞. */
export function between(low: number, high: number, part: number): number {
  return low === high || low === -Infinity || part === 0 ? low : low + part * (high - low);
}

/** The median of a sample whose middle members are these two, or this one twice. */
export function middlePair(low: number, high: number): number {
  return between(low, high, 0.5);
}

/**
 * The p-quantile of a sample, 0 ≤ p ≤ 1.
 * @throws ArgumentError for an empty sample, NaN, or another p
 */
export function quantile(values: readonly number[], p: number): number {
  if (!(p >= 0 && p <= 1)) fail('p', 'a number in [0, 1]', p);
  return quantileOfSorted(ascending(values), p);
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantileOfSorted(ascending(values), 0.5);
}

/** Median absolute deviation from the median, as it is: not scaled to a standard deviation. */
export function mad(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/**
 * Interquartile mean: the mean of what is left when ⌊n/4⌋ values are dropped at either end (Agarwal
 * et al. 2021, arXiv 2108.13264; scipy's trim_mean(values, 0.25)).
 */
export function interquartileMean(values: readonly number[]): number {
  const sorted = ascending(values);
  const cut = Math.floor(sorted.length / 4);
  const kept = sorted.subarray(cut, sorted.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}
