/**
 * Comparisons of two samples whose i-th members belong together: the same seed, the same round. Both have the same length, and a
 * resample draws pairs, never members.
 */
import { fail } from '../../src/validate';
import { type BootstrapOptions, bootstrapIndices, type Estimate, estimateMedian } from './bootstrap';

function checkPairs(a: readonly number[], b: readonly number[]): void {
  if (a.length !== b.length) fail('b', `as many values as a has (${a.length})`, b);
}

/**
 * The median of the ratios a_i / b_i.
 * @throws ArgumentError when the lengths differ or a b_i is not positive
 */
export function pairedRatio(a: readonly number[], b: readonly number[], options?: BootstrapOptions): Estimate {
  checkPairs(a, b);
  const wrong = b.find((value) => !(value > 0));
  if (wrong !== undefined) fail('b', 'positive numbers', wrong);
  return estimateMedian(
    a.map((value, i) => value / b[i]!),
    options,
  );
}

/** The median of the differences a_i - b_i. */
export function pairedDifference(a: readonly number[], b: readonly number[], options?: BootstrapOptions): Estimate {
  checkPairs(a, b);
  return estimateMedian(
    a.map((value, i) => value - b[i]!),
    options,
  );
}

/**
 * The probability that a run of a beats a run of b: the share of all pairs (a_i, b_j) in which a is better, ties counting half
 * (Agarwal et al. 2021, arXiv 2108.13264; the Mann-Whitney U over n·m). In [0, 1]; 0.5 says neither.
 */
export function probabilityOfImprovement(
  a: readonly number[],
  b: readonly number[],
  better: 'lower' | 'higher',
  options?: BootstrapOptions,
): Estimate {
  checkPairs(a, b);
  const sign = better === 'higher' ? 1 : -1;
  // Row i, column j: 1 when a_i beats b_j, ½ for a tie.
  const wins = a.map((x) => b.map((y) => (x === y ? 0.5 : sign * (x - y) > 0 ? 1 : 0)));
  const share = (indices: Uint32Array): number => {
    let sum = 0;
    for (const i of indices) {
      const row = wins[i]!;
      for (const j of indices) sum += row[j]!;
    }
    return sum / (indices.length * indices.length);
  };
  const all = Uint32Array.from(a, (_, i) => i);
  return { value: share(all), interval: bootstrapIndices(a.length, share, options), count: a.length };
}

/** What an interval allows to be said about a difference; nothing unless it excludes `none` and the difference matters. */
export type Verdict = 'lower' | 'higher' | 'undecided';

/**
 * Whether an estimate differs from `none` (0 of differences, 1 of ratios): only when its interval excludes `none` and the value is at
 * least `relevant` away.
 */
export function verdictOf({ value, interval }: Estimate, none: number, relevant = 0): Verdict {
  if (interval === null || Math.abs(value - none) < relevant) return 'undecided';
  if (interval[1] < none) return 'lower';
  return interval[0] > none ? 'higher' : 'undecided';
}
