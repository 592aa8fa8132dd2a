/** Wilcoxon's signed-rank test, exact, and Holm's correction for several tests. */
import { fail } from '../arguments';

/** Runs with five seeds or fewer print no p: the smallest that five can give is 0.0625. */
export const FEWEST_FOR_TEST = 6;

export interface SignedRank {
  /** Sum of the ranks of positive differences. */
  positive: number;
  /** Sum of the ranks of negative differences. */
  negative: number;
  /** Differences that are not zero. */
  count: number;
  /** Two-sided; 1 when all differences are zero. */
  p: number;
}

/** Twice the rank of each magnitude, so that the mean rank of a tie stays whole. */
function doubledRanks(magnitudes: readonly number[]): number[] {
  const order = magnitudes.map((_, i) => i).sort((i, j) => magnitudes[i]! - magnitudes[j]!);
  const ranks: number[] = Array(magnitudes.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && magnitudes[order[last + 1]!] === magnitudes[order[first]!])
      last++;
    for (let i = first; i <= last; i++) ranks[order[i]!] = first + last + 2;
    first = last + 1;
  }
  return ranks;
}

/**
 * P(sum of the ranks with positive sign ≤ limit) when every sign is a fair coin; ranks and limit
 * doubled.
 */
function lowerTail(ranks: readonly number[], limit: number): number {
  const probability = new Float64Array(limit + 1);
  probability[0] = 1;
  let reached = 0;
  for (const rank of ranks) {
    // No sum is larger than that of the ranks so far.
    reached = Math.min(limit, reached + rank);
    for (let sum = reached; sum >= 0; sum--) {
      probability[sum] = 0.5 * (probability[sum]! + (sum >= rank ? probability[sum - rank]! : 0));
    }
  }
  return probability.reduce((sum, value) => sum + value, 0);
}

/**
 * Whether paired differences are symmetric about zero (Wilcoxon 1945). Zeros are left out; ties
 * share their mean rank; the distribution given those ranks is counted out exactly, for any number
 * of pairs. An infinite difference, a run that failed against one that did not, ranks above all
 * others.
 * @throws ArgumentError for NaN
 */
export function signedRank(differences: readonly number[]): SignedRank {
  if (differences.some(Number.isNaN)) fail('differences', 'numbers, none of them NaN', differences);
  const kept = differences.filter((difference) => difference !== 0);
  const ranks = doubledRanks(kept.map(Math.abs));
  let positive = 0;
  let total = 0;
  for (const [i, rank] of ranks.entries()) {
    total += rank;
    if (kept[i]! > 0) positive += rank;
  }
  const p = Math.min(1, 2 * lowerTail(ranks, Math.min(positive, total - positive)));
  return { positive: positive / 2, negative: (total - positive) / 2, count: kept.length, p };
}

/**
 * p-values adjusted so that the chance of any false claim among them stays at the level they are
 * compared with (Holm 1979), in the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const adjusted: number[] = Array(pValues.length);
  let largest = 0;
  for (const [position, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - position) * pValues[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}
