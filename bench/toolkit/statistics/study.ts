/**
 * Figures over the runs of a study: who reaches targets soon, who diverges, who needs his learning
 * rate tuned.
 */
import { log } from 'adal-wasm/math';
import { fail } from '../arguments';

/**
 * A point of a performance profile: the share of problems solved within `factor` times the best
 * time.
 */
export interface ProfilePoint {
  factor: number;
  share: number;
}

/**
 * Performance profiles (Dolan & Moré 2002): for each solver the share of problems that it solves
 * within τ times the fastest solver's time. Problems that no solver solves count for nobody, but
 * stay in the denominator.
 * @param times by solver: for each problem the time to its target, or null where it is not reached
 * @returns by solver: the steps of a function that is constant between its points, beginning at τ =
 * 1
 * @throws ArgumentError when the solvers differ in their number of problems
 */
export function performanceProfile(
  times: ReadonlyMap<string, readonly (number | null)[]>,
): Map<string, ProfilePoint[]> {
  const [first] = times.values();
  const problems = first?.length ?? 0;
  for (const [solver, each] of times)
    if (each.length !== problems) fail(`times of ${solver}`, `${problems} problems`, each.length);
  const best = new Float64Array(problems).fill(Infinity);
  for (const each of times.values())
    for (const [i, time] of each.entries()) if (time !== null && time < best[i]!) best[i] = time;
  const profiles = new Map<string, ProfilePoint[]>();
  for (const [solver, each] of times) {
    const solved = each.flatMap((time, i) => (time === null ? [] : [time / best[i]!]));
    const points: ProfilePoint[] = [{ factor: 1, share: 0 }];
    for (const [i, factor] of solved.sort((a, b) => a - b).entries()) {
      const share = (i + 1) / problems;
      if (points.at(-1)!.factor === factor) points.at(-1)!.share = share;
      else points.push({ factor, share });
    }
    profiles.set(solver, points);
  }
  return profiles;
}

/** The share of runs that diverged; null without runs. */
export function divergenceRate(runs: readonly { diverged: boolean }[]): number | null {
  return runs.length ? runs.filter(({ diverged }) => diverged).length / runs.length : null;
}

/** One learning rate and the figure it led to; null when it diverged. */
export interface RatePoint {
  lr: number;
  score: number | null;
}

export interface SensitivityWidth {
  /** log10(high / low): 0 when only the best rate is good. */
  decades: number;
  low: number;
  high: number;
  /** The rate of the best score. */
  best: number;
  /** An end of the range is an end of the grid, so the true range may be wider. */
  open: boolean;
}

/**
 * How wide a range of learning rates is good: the neighbours of the best rate on its grid, on
 * either side, that score within `tolerance` of the best, without a gap.
 * @returns null when every rate diverged
 */
export function sensitivityWidth(
  points: readonly RatePoint[],
  better: 'lower' | 'higher',
  tolerance: number,
): SensitivityWidth | null {
  const sign = better === 'higher' ? 1 : -1;
  const grid = [...points].sort((a, b) => a.lr - b.lr);
  const scores = grid.map(({ score }) => (score === null ? -Infinity : sign * score));
  const top = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  if (!(top > -Infinity)) return null;
  const best = scores.indexOf(top);
  const good = (i: number): boolean => i >= 0 && i < grid.length && scores[i]! >= top - tolerance;
  let [low, high] = [best, best];
  while (good(low - 1)) low--;
  while (good(high + 1)) high++;
  const [from, to] = [grid[low]!.lr, grid[high]!.lr];
  const open = low === 0 || high === grid.length - 1;
  return { decades: log(to / from) / log(10), low: from, high: to, best: grid[best]!.lr, open };
}
