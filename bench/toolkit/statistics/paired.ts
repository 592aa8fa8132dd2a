/**
 * Comparisons of two samples whose i-th members belong together: the same seed, the same round.
 * Both have the same length, and a resample draws pairs, never members.
 */
import { fail } from '../arguments';
import {
  type BootstrapOptions,
  bootstrapIndices,
  type Estimate,
  estimateMedian,
} from './bootstrap';

function checkPairs(a: readonly number[], b: readonly number[]): void {
  if (a.length !== b.length) fail('b', `as many values as a has (${a.length})`, b);
}

/**
 * The median of the ratios a_i / b_i.
 * @throws ArgumentError when the lengths differ or a b_i is not positive
 */
export function pairedRatio(
  a: readonly number[],
  b: readonly number[],
  options?: BootstrapOptions,
): Estimate {
  checkPairs(a, b);
  const wrong = b.find((value) => !(value > 0));
  if (wrong !== undefined) fail('b', 'positive numbers', wrong);
  return estimateMedian(
    a.map((value, i) => value / b[i]!),
    options,
  );
}

/** The median of the differences a_i - b_i. */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
  options?: BootstrapOptions,
): Estimate {
  checkPairs(a, b);
  return estimateMedian(
    a.map((value, i) => value - b[i]!),
    options,
  );
}

/** The place of each value among the distinct ones, ascending, and how many of those there are. */
function rank(values: readonly number[]): { ranks: Uint32Array; count: number } {
  const order = values.map((_, i) => i).sort((i, j) => ascendingOrder(values[i]!, values[j]!));
  const ranks = new Uint32Array(values.length);
  let last = 0;
  for (const [position, i] of order.entries()) {
    if (position > 0 && values[i] !== values[order[position - 1]!]) last++;
    ranks[i] = last;
  }
  return { ranks, count: last + 1 };
}

/** Infinities are equal to themselves, whose difference is NaN. */
const ascendingOrder = (x: number, y: number): number => (x === y ? 0 : x < y ? -1 : 1);

/**
 * The probability that a run of a beats a run of b: the share of all pairs (a_i, b_j) in which a is
 * better, ties counting half (Agarwal et al. 2021, arXiv 2108.13264; the Mann-Whitney U over n·m).
 * In [0, 1]; 0.5 says neither.
 */
export function probabilityOfImprovement(
  a: readonly number[],
  b: readonly number[],
  better: 'lower' | 'higher',
  options?: BootstrapOptions,
): Estimate {
  checkPairs(a, b);
  const sign = better === 'higher' ? 1 : -1;
  const { ranks, count } = rank([...a, ...b].map((value) => sign * value));
  const [firsts, others] = [new Uint32Array(count), new Uint32Array(count)];
  // Counts of each value among the a and the b drawn; from the worst on, each a beats all b before
  // it.
  const share = (indices: Uint32Array): number => {
    firsts.fill(0);
    others.fill(0);
    for (const i of indices) {
      firsts[ranks[i]!]!++;
      others[ranks[a.length + i]!]!++;
    }
    let [sum, beaten] = [0, 0];
    for (let value = 0; value < count; value++) {
      sum += firsts[value]! * (beaten + 0.5 * others[value]!);
      beaten += others[value]!;
    }
    return sum / (indices.length * indices.length);
  };
  const all = Uint32Array.from(a, (_, i) => i);
  return {
    value: share(all),
    interval: bootstrapIndices(a.length, share, options),
    count: a.length,
  };
}

/**
 * What an interval allows to be said about a difference; nothing unless it excludes `none` and the
 * difference matters.
 */
export type Verdict = 'lower' | 'higher' | 'undecided';

/**
 * Whether an estimate differs from `none` (0 of differences, 1 of ratios): only when its interval
 * excludes `none` and the value is at least `relevant` away.
 */
export function verdictOf({ value, interval }: Estimate, none: number, relevant = 0): Verdict {
  if (interval === null || Math.abs(value - none) < relevant) return 'undecided';
  if (interval[1] < none) return 'lower';
  return interval[0] > none ? 'higher' : 'undecided';
}
