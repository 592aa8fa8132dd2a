/** Comparison of two samples that were drawn independently, such as timings of two sessions. */
import { fail } from '../arguments';
import {
  type BootstrapOptions,
  type Estimate,
  eachResample,
  FEWEST_FOR_INTERVAL,
  resolveOptions,
} from './bootstrap';
import { ascending, middlePair, quantileOfSorted } from './summary';

/** Returns the median of every resample of a sorted sample. */
function resampledMedians(sorted: Float64Array, resamples: number, seed: number): Float64Array {
  const medians = new Float64Array(resamples);
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1];
  let count = 0;
  eachResample(sorted.length, resamples, seed, (order) => {
    order.sort();
    medians[count++] = middlePair(sorted[order[low]!]!, sorted[order[high]!]!);
  });
  return medians;
}

/**
 * Estimates median(a) / median(b). Each sample is resampled by itself, so the two may differ in
 * size and their members need not belong together.
 * @returns the ratio with its bootstrap interval, which is null when a sample has fewer than three
 * values; `count` is the size of the smaller sample
 * @throws ArgumentError when a sample is empty or a value is not a positive number
 */
export function ratioOfMedians(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): Estimate {
  for (const [name, values] of Object.entries({ a, b })) {
    const wrong = values.find((value) => !(value > 0 && value < Infinity));
    if (wrong !== undefined) fail(name, 'positive numbers', wrong);
  }
  const { resamples, seed, level } = resolveOptions(options);
  const [sortedA, sortedB] = [ascending(a), ascending(b)];
  const value = quantileOfSorted(sortedA, 0.5) / quantileOfSorted(sortedB, 0.5);
  const count = Math.min(a.length, b.length);
  if (count < FEWEST_FOR_INTERVAL) return { value, interval: null, count };
  const medians = resampledMedians(sortedA, resamples, seed);
  // Another seed: samples of one size would be resampled alike, as if they were paired.
  const others = resampledMedians(sortedB, resamples, seed + 1);
  const ratios = medians.map((median, i) => median / others[i]!).sort();
  const tail = (1 - level) / 2;
  const interval = [quantileOfSorted(ratios, tail), quantileOfSorted(ratios, 1 - tail)] as const;
  return { value, interval, count };
}
