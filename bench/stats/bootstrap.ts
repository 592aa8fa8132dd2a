/**
 * Bootstrap confidence intervals (percentile method, Efron 1979). Deterministic: which members a resample draws is a function of the
 * sample's size and the seed alone, so a report made twice is the same report, and paired samples are resampled alike.
 */
import { Prng } from '../../src/math/prng';
import { checkInteger, fail } from '../../src/validate';
import { ascending, median, middlePair, quantileOfSorted } from './summary';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

export interface BootstrapOptions {
  /** Resamples drawn. @default 2000 */
  resamples?: number;
  /** Of the resampling. @default 1 */
  seed?: number;
  /** Probability that the interval is to cover, in (0, 1). @default 0.95 */
  level?: number;
}

/** Fewer values than this say nothing about their spread. */
export const FEWEST_FOR_INTERVAL = 3;

const DEFAULTS = { resamples: 2000, seed: 1, level: 0.95 };
const drawn = new Map<string, Uint32Array>();

/** `resamples` rows of `size` indices below `size`. Kept, because a report asks for the same few sizes thousands of times. */
function drawIndices(size: number, resamples: number, seed: number): Uint32Array {
  const key = `${size} ${resamples} ${seed}`;
  let indices = drawn.get(key);
  if (!indices) {
    const prng = new Prng(seed, size);
    indices = Uint32Array.from({ length: size * resamples }, () => prng.below(size));
    drawn.set(key, indices);
  }
  return indices;
}

/**
 * The bootstrap interval of a statistic of `size` observations.
 * @param statistic is given the indices of the observations drawn (with repetition); the array is reused
 * @returns null when there are fewer than three observations, or a resample's statistic is NaN; ends are infinite where values are
 * @throws ArgumentError for options out of range
 */
export function bootstrapIndices(
  size: number,
  statistic: (indices: Uint32Array) => number,
  options: BootstrapOptions = {},
): Interval | null {
  const { resamples, seed, level } = { ...DEFAULTS, ...options };
  checkInteger('resamples', resamples, 1, 1e6);
  if (!(level > 0 && level < 1)) fail('level', 'a number in (0, 1)', level);
  if (size < FEWEST_FOR_INTERVAL) return null;
  const indices = drawIndices(size, resamples, seed);
  const statistics = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    const value = statistic(indices.subarray(i * size, (i + 1) * size));
    if (Number.isNaN(value)) return null;
    statistics[i] = value;
  }
  statistics.sort();
  const tail = (1 - level) / 2;
  return [quantileOfSorted(statistics, tail), quantileOfSorted(statistics, 1 - tail)];
}

/** A statistic of a sample with its bootstrap interval, `null` where the sample is too small for one. */
export interface Estimate {
  value: number;
  interval: Interval | null;
  /** Observations. */
  count: number;
}

/** `statistic` of `values`, with its bootstrap interval. */
export function estimate(
  values: readonly number[],
  statistic: (values: readonly number[]) => number,
  options?: BootstrapOptions,
): Estimate {
  const resampled: number[] = Array(values.length);
  const ofIndices = (indices: Uint32Array): number => {
    for (let i = 0; i < indices.length; i++) resampled[i] = values[indices[i]!]!;
    return statistic(resampled);
  };
  return { value: statistic(values), interval: bootstrapIndices(values.length, ofIndices, options), count: values.length };
}

/** The median with its bootstrap interval. */
export function estimateMedian(values: readonly number[], options?: BootstrapOptions): Estimate {
  const sorted = ascending(values);
  // Sorting the indices sorts what they stand for, and whole numbers sort fast.
  const ofIndices = (indices: Uint32Array): number => {
    const order = indices.slice().sort();
    const middle = (order.length - 1) >> 1;
    return middlePair(sorted[order[middle]!]!, sorted[order[order.length >> 1]!]!);
  };
  return { value: median(values), interval: bootstrapIndices(values.length, ofIndices, options), count: values.length };
}
