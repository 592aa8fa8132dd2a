/** Timings of two results: ratios of medians, and what is more than noise. */
import { median, ratioOfMedians, verdictOf } from '../toolkit/statistics';
import type { EnvironmentPair, Margin, SpeedComparison, SpeedVerdict } from './comparison';

/** Samples of one timing. */
export interface SpeedRow {
  /** Environment, as its result names it. */
  readonly environment: string;
  /** What was timed, unique in its environment. */
  readonly label: string;
  /** Positive times, ns, by round; empty where it could not be timed. */
  readonly samples: readonly number[];
  /** Whether the machine was as fast after the rounds as before. */
  readonly stable: boolean;
  /** Whether the library is not part of it. */
  readonly anchor: boolean;
}

/** Ratios closer to 1 than this are never more than noise: sessions differ by as much. */
export const RELEVANT = 0.03;
/** Anchors below which the machine's own change is not estimated. */
const FEWEST_ANCHORS = 3;

interface Pair {
  readonly a: SpeedRow;
  readonly b: SpeedRow;
}

const keyOf = (environment: string, label: string): string => JSON.stringify([environment, label]);

/** Rows with samples, by the environment's name in A and their label. */
function rowsByKey(
  rows: readonly SpeedRow[],
  names: ReadonlyMap<string, string>,
): Map<string, SpeedRow> {
  const found = new Map<string, SpeedRow>();
  for (const row of rows) {
    const name = names.get(row.environment);
    if (name !== undefined && row.samples.length > 0) found.set(keyOf(name, row.label), row);
  }
  return found;
}

const ratioOfPair = ({ a, b }: Pair): number => median(b.samples) / median(a.samples);

/**
 * Returns how far ratios must be from 1 in an environment: at least as far as the machine's own
 * speed has moved, which rows show that do not run the library. An environment with few such rows
 * takes those of all.
 */
function marginOf(environment: string, pairs: readonly Pair[]): Margin {
  const anchored = pairs.filter(({ a }) => a.anchor);
  const own = anchored.filter(({ a }) => a.environment === environment);
  const chosen = own.length >= FEWEST_ANCHORS ? own : anchored;
  if (chosen.length < FEWEST_ANCHORS) return { environment, margin: RELEVANT, anchors: null };
  const anchors = median(chosen.map(ratioOfPair));
  return { environment, margin: Math.max(RELEVANT, distance(anchors)), anchors };
}

/** How far a ratio is from 1, in either direction alike: 1.25 is as far as 0.8. */
const distance = (ratio: number): number => Math.max(ratio, 1 / ratio) - 1;

function verdictFor({ a, b }: Pair, ratio: SpeedComparison['ratio'], margin: number): SpeedVerdict {
  if (ratio.interval === null) return 'too few samples';
  // A ratio that is the machine's own may round to one that is further away.
  if (distance(ratio.value) < margin * (1 + 1e-9)) return 'within noise';
  const verdict = verdictOf(ratio, 1);
  if (verdict === 'undecided') return 'within noise';
  if (!a.stable || !b.stable) return 'unstable';
  return verdict === 'lower' ? 'faster' : 'slower';
}

export interface Speeds {
  readonly speeds: readonly SpeedComparison[];
  readonly margins: readonly Margin[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/** Compares the timings of paired environments. */
export function compareSpeeds(
  rowsA: readonly SpeedRow[],
  rowsB: readonly SpeedRow[],
  environments: readonly EnvironmentPair[],
  level: number,
): Speeds {
  const a = rowsByKey(rowsA, new Map(environments.map((pair) => [pair.a, pair.a])));
  const b = rowsByKey(rowsB, new Map(environments.map((pair) => [pair.b, pair.a])));
  const pairs = [...a].flatMap(([key, row]): Pair[] => {
    const other = b.get(key);
    return other ? [{ a: row, b: other }] : [];
  });
  const measured = environments.filter((each) =>
    pairs.some((pair) => pair.a.environment === each.a),
  );
  const margins = measured.map((each) => marginOf(each.a, pairs));
  const marginIn = new Map(margins.map(({ environment, margin }) => [environment, margin]));
  const labelOf = (key: string): string => {
    const [environment, label] = JSON.parse(key) as [string, string];
    return environments.length > 1 ? `${label} on ${environment}` : label;
  };
  return {
    speeds: pairs.map((pair) => {
      const { environment, label, anchor } = pair.a;
      const ratio = ratioOfMedians(pair.b.samples, pair.a.samples, { level });
      return {
        environment,
        label,
        a: median(pair.a.samples),
        b: median(pair.b.samples),
        ratio,
        verdict: verdictFor(pair, ratio, marginIn.get(environment)!),
        anchor,
      };
    }),
    margins,
    onlyA: [...a.keys()].filter((key) => !b.has(key)).map(labelOf),
    onlyB: [...b.keys()].filter((key) => !a.has(key)).map(labelOf),
  };
}
