/**
 * Metrics by name: accuracy, precision, recall, F1 and AUC over classes; mean absolute error, root
 * mean squared error and R² over values.
 *
 * Invariant: an output that is NaN never counts as right, and the sums of a tally are plain
 * numbers, so that a run that is resumed in mid-epoch ends with the same bits.
 */
import { exp } from '../math/exp';
import { checkChoice, fail } from '../validate';
import { ignoredLabel, lossKindOf } from './losses';
import type { SampleFormat, TargetFormat } from './samples';

const ON_CLASSES = ['accuracy', 'precision', 'recall', 'f1', 'auc'] as const;
const ON_VALUES = ['meanAbsoluteError', 'rootMeanSquaredError', 'r2'] as const;

/**
 * A metric. Over classes, for `crossEntropy`, `categoricalCrossEntropy` and `binaryCrossEntropy`:
 *
 * - 'accuracy': share of samples (or positions) whose class has the greatest output, the first of
 *   equal ones; of probabilities as targets, the class is the first of the greatest. For
 *   `binaryCrossEntropy`, the share of outputs x with σ(x) > 0.5 exactly where the target is > 0.5.
 * - 'precision', 'recall', 'f1': means over the classes (macro averages), in which 0/0 is 0. For
 *   `binaryCrossEntropy` every output is a class of its own.
 * - 'auc': area under the ROC curve, exact by ranks, of each class against the others (of each
 *   output for `binaryCrossEntropy`), averaged over classes that have both cases; null if there are
 *   none. For validation and `evaluate` alone, because it needs all outputs.
 *
 * Over values, for the other losses: 'meanAbsoluteError', 'rootMeanSquaredError', and 'r2', which is
 * the mean over outputs of 1 - Σ(x - t)²/Σ(t - mean)² without those whose targets are all equal;
 * null if there are no others.
 */
export type MetricName = (typeof ON_CLASSES)[number] | (typeof ON_VALUES)[number];

/**
 * Values of metrics by name; `output.metric` of a model with several losses. Null if a metric is
 * undefined.
 */
export type Metrics = Readonly<Record<string, number | null>>;

/** Precision, recall and F1 of every class, by class index. */
export interface ClassMetrics {
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
}

const isOnClasses = ({ loss }: TargetFormat) =>
  lossKindOf(loss).lastAxis || loss.kind === 'binaryCrossEntropy';

/**
 * Checks names of metrics; each must apply to at least one of the losses.
 * @throws ArgumentError naming the first that does not
 */
export function checkMetricNames(
  argument: string,
  names: unknown,
  { targets }: SampleFormat,
): asserts names is readonly MetricName[] {
  if (!Array.isArray(names)) fail(argument, 'an array of names of metrics', names);
  for (const [index, name] of names.entries()) {
    const allowed = [
      ...(targets.some(isOnClasses) ? ON_CLASSES : []),
      ...(targets.every(isOnClasses) ? [] : ON_VALUES),
    ];
    checkChoice(`${argument}[${index}]`, name, allowed);
  }
}

/** The sums of one output with a loss. */
interface Tally {
  /** Sums over all samples added: plain numbers, of a length that the format decides. */
  readonly sums: number[];
  add(output: Float32Array, targets: Int32Array | Float32Array, count: number): void;
  value(name: MetricName): number | null;
  perClass?(): ClassMetrics;
}

/** Metrics over all outputs with a loss. */
export class MetricTally {
  readonly #names: readonly MetricName[];
  readonly #outputs: readonly { readonly prefix: string; readonly tally: Tally }[];
  readonly #targets: readonly TargetFormat[];

  /** @param names checked names */
  constructor({ targets }: SampleFormat, names: readonly MetricName[]) {
    this.#names = names;
    this.#targets = targets;
    const keep = names.includes('auc');
    this.#outputs = targets.map((format) => ({
      prefix: targets.length === 1 ? '' : `${format.name}.`,
      tally: isOnClasses(format) ? new ClassTally(format, keep) : new ValueTally(format),
    }));
  }

  /**
   * Adds the first samples of a batch.
   * @param outputs by name
   * @param targets labels or values, in the order of the format
   */
  add(
    outputs: Readonly<Record<string, Float32Array>>,
    targets: readonly (Int32Array | Float32Array)[],
    count: number,
  ): void {
    for (const [index, { tally }] of this.#outputs.entries())
      tally.add(outputs[this.#targets[index].name], targets[index], count);
  }

  result(): Metrics {
    const entries: [string, number | null][] = [];
    for (const [index, { prefix, tally }] of this.#outputs.entries()) {
      const known: readonly string[] = isOnClasses(this.#targets[index]) ? ON_CLASSES : ON_VALUES;
      for (const name of this.#names)
        if (known.includes(name)) entries.push([`${prefix}${name}`, tally.value(name)]);
    }
    return Object.fromEntries(entries);
  }

  /** Precision, recall and F1 by class of the only output; null if there are others, or no classes. */
  perClass(): ClassMetrics | null {
    const [first, ...others] = this.#outputs;
    const asked = this.#names.some((name) => ['precision', 'recall', 'f1'].includes(name));
    return (asked && others.length === 0 && first.tally.perClass?.()) || null;
  }

  /** Sets all sums to zero. */
  reset(): void {
    for (const { tally } of this.#outputs) tally.sums.fill(0);
  }

  /** All sums, one output after another. */
  get sums(): number[] {
    return this.#outputs.flatMap(({ tally }) => tally.sums);
  }

  /** Replaces the sums; returns false, and changes nothing, for another number of them. */
  load(sums: readonly number[]): boolean {
    if (sums.length !== this.sums.length) return false;
    let from = 0;
    for (const { tally } of this.#outputs)
      for (let i = 0; i < tally.sums.length; i++) tally.sums[i] = sums[from++];
    return true;
  }
}

/** Counts over classes. */
class ClassTally implements Tally {
  /** Decisions, right ones, and by class: right ones, predicted ones, actual ones. */
  readonly sums: number[];
  readonly #size: number;
  readonly #positions: number;
  readonly #binary: boolean;
  /** Whether targets are labels rather than probabilities. */
  readonly #labelled: boolean;
  readonly #ignored: number;
  /** Scores of the positive and negative cases by class; null if they are not kept. */
  readonly #scores: readonly { readonly own: number[]; readonly others: number[] }[] | null;

  constructor({ loss, size, positions }: TargetFormat, keep: boolean) {
    this.#size = size;
    this.#positions = positions;
    this.#binary = loss.kind === 'binaryCrossEntropy';
    this.#labelled = lossKindOf(loss).targets === 'classes';
    this.#ignored = ignoredLabel(loss);
    this.sums = new Array<number>(2 + 3 * size).fill(0);
    this.#scores = keep ? Array.from({ length: size }, () => ({ own: [], others: [] })) : null;
  }

  add(output: Float32Array, targets: Int32Array | Float32Array, count: number): void {
    const size = this.#size;
    for (let i = 0; i < count * this.#positions; i++) {
      const row = output.subarray(i * size, (i + 1) * size);
      if (this.#binary) this.#addBinary(row, targets.subarray(i * size, (i + 1) * size));
      else if (!this.#labelled)
        this.#addClass(row, firstGreatest(targets.subarray(i * size, (i + 1) * size)));
      else if (targets[i] !== this.#ignored) this.#addClass(row, targets[i]);
    }
  }

  #addClass(row: Float32Array, actual: number): void {
    const predicted = row.some(Number.isNaN) ? -1 : firstGreatest(row);
    const right = predicted === actual;
    this.#count(right);
    if (right) this.sums[2 + actual]++;
    if (predicted >= 0) this.sums[2 + this.#size + predicted]++;
    this.sums[2 + 2 * this.#size + actual]++;
    if (this.#scores)
      for (let k = 0; k < this.#size; k++) this.#keep(k, logOdds(row, k), k === actual);
  }

  /** Each output is a decision of its own. */
  #addBinary(row: Float32Array, targets: Int32Array | Float32Array): void {
    for (let k = 0; k < this.#size; k++) {
      const actual = targets[k] > 0.5;
      const predicted = row[k] > 0;
      this.#count(predicted === actual && !Number.isNaN(row[k]));
      if (predicted && actual) this.sums[2 + k]++;
      if (predicted) this.sums[2 + this.#size + k]++;
      if (actual) this.sums[2 + 2 * this.#size + k]++;
      this.#keep(k, row[k], actual);
    }
  }

  #count(right: boolean): void {
    this.sums[0]++;
    if (right) this.sums[1]++;
  }

  #keep(k: number, score: number, positive: boolean): void {
    if (this.#scores) this.#scores[k][positive ? 'own' : 'others'].push(score);
  }

  value(name: MetricName): number | null {
    if (name === 'accuracy') return this.sums[0] === 0 ? null : this.sums[1] / this.sums[0];
    if (name !== 'auc') return mean(this.perClass()[name as keyof ClassMetrics]);
    const areas = this.#scores!.map(({ own, others }) => areaUnderCurve(own, others));
    return mean(areas.filter((area) => area !== null));
  }

  perClass(): ClassMetrics {
    const size = this.#size;
    const of = (place: number) => this.sums.slice(2 + place * size, 2 + (place + 1) * size);
    const [right, predicted, actual] = [of(0), of(1), of(2)];
    const share = (over: (k: number) => number) =>
      right.map((count, k) => (count === 0 ? 0 : count / over(k)));
    return {
      precision: share((k) => predicted[k]),
      recall: share((k) => actual[k]),
      f1: share((k) => (predicted[k] + actual[k]) / 2),
    };
  }
}

/** Sums over values. */
class ValueTally implements Tally {
  /**
   * Samples, Σ|r| and Σr², and by output: the mean of the targets, the sum of their squared
   * distances from it (Welford 1962), and Σr².
   */
  readonly sums: number[];
  readonly #size: number;

  constructor({ size }: TargetFormat) {
    this.#size = size;
    this.sums = new Array<number>(3 + 3 * size).fill(0);
  }

  add(output: Float32Array, targets: Int32Array | Float32Array, count: number): void {
    const { sums } = this;
    const size = this.#size;
    for (let i = 0; i < count; i++) {
      sums[0]++;
      for (let k = 0; k < size; k++) {
        const target = targets[i * size + k];
        const r = output[i * size + k] - target;
        sums[1] += Math.abs(r);
        sums[2] += r * r;
        const from = 3 + 3 * k;
        const distance = target - sums[from];
        sums[from] += distance / sums[0];
        sums[from + 1] += distance * (target - sums[from]);
        sums[from + 2] += r * r;
      }
    }
  }

  value(name: MetricName): number | null {
    const { sums } = this;
    const count = sums[0] * this.#size;
    if (count === 0) return null;
    if (name === 'meanAbsoluteError') return sums[1] / count;
    if (name === 'rootMeanSquaredError') return Math.sqrt(sums[2] / count);
    const shares: number[] = [];
    for (let from = 3; from < sums.length; from += 3)
      if (sums[from + 1] > 0) shares.push(1 - sums[from + 2] / sums[from + 1]);
    return mean(shares);
  }
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the index of the greatest element, the first of equal ones. */
export function firstGreatest(row: Float32Array | Int32Array): number {
  let best = 0;
  for (let j = 1; j < row.length; j++) if (row[j] > row[best]) best = j;
  return best;
}

/** Returns log(p/(1 - p)) of class k's probability p, up to a monotonic function. */
function logOdds(row: Float32Array, k: number): number {
  if (row.length === 2) return row[k] - row[1 - k];
  let others = 0;
  for (let j = 0; j < row.length; j++) if (j !== k) others += exp(row[j] - row[k]);
  return -others;
}

/**
 * Returns the share of pairs of a positive and a negative case in which the positive one has the
 * greater score; equal ones count half, and pairs with a NaN not at all. Null without pairs.
 */
function areaUnderCurve(own: readonly number[], others: readonly number[]): number | null {
  if (own.length === 0 || others.length === 0) return null;
  const sorted = Float64Array.from(others.filter((score) => !Number.isNaN(score))).sort();
  let below = 0;
  for (const score of own) {
    if (Number.isNaN(score)) continue;
    below += countBelow(sorted, score, false) + countBelow(sorted, score, true);
  }
  return below / (2 * own.length * others.length);
}

/** Returns how many of the sorted scores are less than `score`, or equal to it if `inclusive`. */
function countBelow(sorted: Float64Array, score: number, inclusive: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < score || (inclusive && sorted[middle] === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
