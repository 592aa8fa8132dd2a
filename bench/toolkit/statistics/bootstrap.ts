/**
 * Bootstrap confidence intervals (percentile method, Efron 1979). Deterministic: which members a
 * resample draws is a function of the sample's size and the seed alone, so a report made twice is
 * the same report, and paired samples are resampled alike.
 */
import { Prng } from 'adal-wasm/math';
import { checkInteger, fail } from '../arguments';
import { ascending, between, middlePair, quantileOfSorted } from './summary';

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

/**
 * Indices that are kept, because a report asks for the same few sizes thousands of times: more are
 * drawn again when asked for.
 */
const MOST_KEPT = 2 ** 21;
const drawn = new Map<string, Uint32Array>();
let kept = 0;

/**
 * Calls `visit` with each of `resamples` rows of `size` indices below `size`; it may change a row,
 * which is its own.
 */
export function eachResample(
  size: number,
  resamples: number,
  seed: number,
  visit: (indices: Uint32Array) => void,
): void {
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

export function resolveOptions(options: BootstrapOptions): Required<BootstrapOptions> {
  const all = { ...DEFAULTS, ...options };
  checkInteger('resamples', all.resamples, 1, 1e6);
  if (!(all.level > 0 && all.level < 1)) fail('level', 'a number in (0, 1)', all.level);
  return all;
}

/**
 * The bootstrap interval of a statistic of `size` observations.
 * @param statistic is given the indices of the observations drawn (with repetition); the array is
 * reused
 * @returns null when there are fewer than three observations, or a resample's statistic is NaN;
 * ends are infinite where values are
 * @throws ArgumentError for options out of range
 */
export function bootstrapIndices(
  size: number,
  statistic: (indices: Uint32Array) => number,
  options: BootstrapOptions = {},
): Interval | null {
  const { resamples, seed, level } = resolveOptions(options);
  if (size < FEWEST_FOR_INTERVAL) return null;
  const statistics = new Float64Array(resamples);
  let count = 0;
  eachResample(size, resamples, seed, (indices) => {
    statistics[count++] = statistic(indices);
  });
  if (statistics.some(Number.isNaN)) return null;
  statistics.sort();
  const tail = (1 - level) / 2;
  return [quantileOfSorted(statistics, tail), quantileOfSorted(statistics, 1 - tail)];
}

/**
 * A statistic of a sample with its bootstrap interval, `null` where the sample is too small for
 * one.
 */
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
  return {
    value: statistic(values),
    interval: bootstrapIndices(values.length, ofIndices, options),
    count: values.length,
  };
}

/** Sizes whose middles are kept: at most 24 KB each. */
const MOST_SIZES = 256;

/**
 * Of the resamples of one size the ranks of their two middle members, each pair once, with how many
 * resamples have it.
 */
interface Middles {
  readonly low: number[];
  readonly high: number[];
  readonly count: number[];
}

const middles = new Map<string, Middles>();

/** The ranks are a function of the size alone, whatever the values are. */
function drawMiddles(size: number, resamples: number, seed: number): Middles {
  const key = `${size} ${resamples} ${seed}`;
  const known = middles.get(key);
  if (known) return known;
  const found: Middles = { low: [], high: [], count: [] };
  const places = new Map<number, number>();
  eachResample(size, resamples, seed, (order) => {
    // Sorting the indices sorts what they stand for, and whole numbers sort fast.
    order.sort();
    const [low, high] = [order[(size - 1) >> 1]!, order[size >> 1]!];
    const place = places.get(low * size + high);
    if (place !== undefined) found.count[place]!++;
    else {
      places.set(low * size + high, found.low.length);
      found.low.push(low);
      found.high.push(high);
      found.count.push(1);
    }
  });
  if (middles.size < MOST_SIZES) middles.set(key, found);
  return found;
}

/**
 * The quantiles of values that occur `counts` times each, as if all were written out and sorted.
 */
function quantilesOfCounted(
  values: Float64Array,
  counts: readonly number[],
  total: number,
  quantiles: readonly number[],
): number[] {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]! || 0);
  const at = (rank: number): number => {
    let passed = 0;
    for (const i of order) {
      passed += counts[i]!;
      if (rank < passed) return values[i]!;
    }
    return values[order.at(-1)!]!;
  };
  return quantiles.map((p) => {
    const position = p * (total - 1);
    const below = Math.floor(position);
    return between(at(below), at(Math.min(below + 1, total - 1)), position - below);
  });
}

/** The median with its bootstrap interval. */
export function estimateMedian(
  values: readonly number[],
  options: BootstrapOptions = {},
): Estimate {
  const { resamples, seed, level } = resolveOptions(options);
  const sorted = ascending(values);
  const count = values.length;
  const value = quantileOfSorted(sorted, 0.5);
  if (count < FEWEST_FOR_INTERVAL) return { value, interval: null, count };
  const { low, high, count: counts } = drawMiddles(count, resamples, seed);
  const statistics = Float64Array.from(low, (rank, i) =>
    middlePair(sorted[rank]!, sorted[high[i]!]!),
  );
  if (statistics.some(Number.isNaN)) return { value, interval: null, count };
  const tail = (1 - level) / 2;
  const [from, to] = quantilesOfCounted(statistics, counts, resamples, [tail, 1 - tail]) as [
    number,
    number,
  ];
  return { value, interval: [from, to], count };
}
