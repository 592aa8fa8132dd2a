/**
 * Bootstrap confidence intervals (percentile method, Efron 1979). Deterministic: which members a resample draws is a function of the
 * sample's size and the seed alone, so a report made twice is the same report, and paired samples are resampled alike.
 */
import { Prng } from '../../src/math/prng';
import { checkInteger, fail } from '../../src/validate';
import { ascending, middlePair, quantileOfSorted } from './summary';

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

/** Indices that are kept, because a report asks for the same few sizes thousands of times: more are drawn again when asked for. */
const MOST_KEPT = 2 ** 21;
const drawn = new Map<string, Uint32Array>();
let kept = 0;

/** Calls `visit` with each of `resamples` rows of `size` indices below `size`; it may change a row, which is its own. */
function eachResample(size: number, resamples: number, seed: number, visit: (indices: Uint32Array) => void): void {
  const key = `${size} ${resamples} ${seed}`;
  const known = drawn.get(key);
  const row = new Uint32Array(size);
  if (known) {
    for (let i = 0; i < resamples; i++) {
      row.set(known.subarray(i * size, (i + 1) * size));
      visit(row);
    }
    return;
  }
  const keep = kept + size * resamples <= MOST_KEPT ? new Uint32Array(size * resamples) : null;
  const prng = new Prng(seed, size);
  for (let i = 0; i < resamples; i++) {
    for (let j = 0; j < size; j++) row[j] = prng.below(size);
    keep?.set(row, i * size);
    visit(row);
  }
  if (keep) {
    drawn.set(key, keep);
    kept += keep.length;
  }
}

function checkOptions(options: BootstrapOptions): Required<BootstrapOptions> {
  const all = { ...DEFAULTS, ...options };
  checkInteger('resamples', all.resamples, 1, 1e6);
  if (!(all.level > 0 && all.level < 1)) fail('level', 'a number in (0, 1)', all.level);
  return all;
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
  const { resamples, seed, level } = checkOptions(options);
  if (size < FEWEST_FOR_INTERVAL) return null;
  const statistics = new Float64Array(resamples);
  let count = 0;
  eachResample(size, resamples, seed, (indices) => {
    statistics[count++] = statistic(indices);
  });
  return intervalOf(statistics, level);
}

/** The middle of the statistics; null when one of them is NaN. Sorts its argument. */
function intervalOf(statistics: Float64Array, level: number): Interval | null {
  if (statistics.some(Number.isNaN)) return null;
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

/** Sizes whose middles are kept: 16 KB each. */
const MOST_SIZES = 256;
const middles = new Map<string, Uint32Array>();

/** Of each resample the ranks of its two middle members: they are a function of the size alone, whatever the values are. */
function drawMiddles(size: number, resamples: number, seed: number): Uint32Array {
  const key = `${size} ${resamples} ${seed}`;
  let pairs = middles.get(key);
  if (pairs) return pairs;
  pairs = new Uint32Array(2 * resamples);
  let at = 0;
  eachResample(size, resamples, seed, (order) => {
    // Sorting the indices sorts what they stand for, and whole numbers sort fast.
    order.sort();
    pairs![at++] = order[(size - 1) >> 1]!;
    pairs![at++] = order[size >> 1]!;
  });
  if (middles.size < MOST_SIZES) middles.set(key, pairs);
  return pairs;
}

/** The median with its bootstrap interval. */
export function estimateMedian(values: readonly number[], options: BootstrapOptions = {}): Estimate {
  const { resamples, seed, level } = checkOptions(options);
  const sorted = ascending(values);
  const count = values.length;
  const value = quantileOfSorted(sorted, 0.5);
  if (count < FEWEST_FOR_INTERVAL) return { value, interval: null, count };
  const pairs = drawMiddles(count, resamples, seed);
  const statistics = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) statistics[i] = middlePair(sorted[pairs[2 * i]!]!, sorted[pairs[2 * i + 1]!]!);
  return { value, interval: intervalOf(statistics, level), count };
}
