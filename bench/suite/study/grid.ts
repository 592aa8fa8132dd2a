/**
 * Searches a learning rate: nine half decades around the default, and further while the best one
 * lies on an edge.
 */

const BUDGET = 9;
/** Points beyond the budget, at most. */
const MAX_EXTENSION = 8;
const SQRT10 = 3.1622776601683795;

/** lr·10^(k/2), to four digits. */
function rate(lr: number, k: number): number {
  const decades = Math.floor(k / 2);
  // Powers of ten from their decimal notation: the same double everywhere.
  const factor = Number(`1e${decades}`) * (k % 2 === 0 ? 1 : SQRT10);
  return Number((lr * factor).toPrecision(4));
}

export interface GridPoint {
  readonly lr: number;
  /** One a seed, of the figure that is chosen by; null: the run diverged. */
  readonly scores: readonly (number | null)[];
}

export interface Selection {
  readonly lr: number | null;
  readonly grid: number[];
  /** Means over seeds; null when one of them diverged. */
  readonly scores: (number | null)[];
  readonly extended: number;
  /** Whether the best is on an edge even so. */
  readonly edge: boolean;
}

export type Evaluate = (lr: number) => Promise<readonly (number | null)[]>;

/** Chooses by the mean over seeds; of equal ones the smallest rate. */
export async function selectLearningRate(
  centre: number,
  direction: 'lower' | 'higher',
  evaluate: Evaluate,
): Promise<Selection> {
  const half = (BUDGET - 1) / 2;
  const points = new Map<number, number | null>();
  const add = async (k: number) => points.set(k, mean(await evaluate(rate(centre, k))));
  for (let k = -half; k <= half; k++) await add(k);
  let [low, high] = [-half, half];
  let best = bestOf(points, direction);
  while (best !== null && (best === low || best === high) && points.size < BUDGET + MAX_EXTENSION) {
    await add(best === low ? --low : ++high);
    best = bestOf(points, direction);
  }
  const steps = [...points.keys()].sort((a, b) => a - b);
  return {
    lr: best === null ? null : rate(centre, best),
    grid: steps.map((k) => rate(centre, k)),
    scores: steps.map((k) => points.get(k)!),
    extended: points.size - BUDGET,
    edge: best === low || best === high,
  };
}

function bestOf(
  points: ReadonlyMap<number, number | null>,
  direction: 'lower' | 'higher',
): number | null {
  let best: number | null = null;
  for (const k of [...points.keys()].sort((a, b) => a - b)) {
    const score = points.get(k)!;
    if (score === null) continue;
    const than = best === null ? null : points.get(best)!;
    if (than === null || (direction === 'lower' ? score < than : score > than)) best = k;
  }
  return best;
}

function mean(scores: readonly (number | null)[]): number | null {
  if (scores.length === 0 || scores.includes(null)) return null;
  return (scores as readonly number[]).reduce((sum, score) => sum + score, 0) / scores.length;
}
