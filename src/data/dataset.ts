/**
 * Datasets in memory, which the loaders return and training takes.
 *
 * Invariant: features.length = count·featureCount; labels.length = count and 0 ≤ label <
 * classCount; targets.length is a multiple of count; sampleWeights.length = count. Functions that
 * return a dataset keep `classNames`, `columns` and `shape`, and each example its weight.
 */
import { ArgumentError, DataError } from '../errors';
import {
  checkInteger,
  describe,
  fail,
  isFloat32Array,
  isInt32Array,
  isTypedArray,
} from '../validate';
import { gatherLabelsInto, gatherRowsInto } from './batching';

/** Fields that datasets of classification and of regression share. */
export interface DatasetBase {
  /** Name of the dataset, for logs and reports. */
  name: string;
  /** count × featureCount values, row-major: example i starts at i·featureCount. */
  features: Float32Array;
  /** Number of examples. */
  count: number;
  /** Number of features per example. */
  featureCount: number;
  /** Shape of an example, if it is not a plain row: [height, width, channels] for images. */
  shape?: readonly number[];
  /** Names of the features, in order. */
  columns?: readonly string[];
  /** Weights of the examples in training and evaluation, one each. */
  sampleWeights?: Float32Array;
  /**
   * Values in float64 of columns for which float32 is too coarse, such as seconds since 1970, by
   * column index. Only `parseCsv` creates them; `standardize` reads them in place of `features` and
   * returns datasets without them.
   */
  doubles?: ReadonlyMap<number, Float64Array>;
}

/** Dataset of a classification task. */
export interface Dataset extends DatasetBase {
  /** Class index of each example, in [0, classCount). */
  labels: Int32Array;
  /** Number of classes. */
  classCount: number;
  /** Names of the classes, by class index. */
  classNames?: readonly string[];
}

/** Dataset of a regression task. */
export interface RegressionDataset extends DatasetBase {
  /** Values to predict, row-major, the same number for each example. */
  targets: Float32Array;
}

/**
 * Returns a new dataset of the given rows, in their order. Copies values and shares names.
 *
 * @param rows row numbers in [0, dataset.count); an empty array gives a dataset without examples
 * @throws ArgumentError for anything but a dataset, and for row numbers out of range
 */
export function selectRows<T extends Dataset | RegressionDataset>(
  dataset: T,
  rows: Uint32Array,
): T {
  checkDataset('dataset', dataset);
  if (!isTypedArray('Uint32Array', rows)) fail('rows', 'a Uint32Array', rows);
  const wrong = rows.findIndex((row) => row >= dataset.count);
  if (wrong >= 0) fail(`rows[${wrong}]`, `an integer in [0, ${dataset.count - 1}]`, rows[wrong]);
  const { featureCount, labels, targets } = dataset as AnyDataset;
  const { length } = rows;
  const selected: AnyDataset = {
    ...(dataset as AnyDataset),
    features: new Float32Array(length * featureCount),
    count: length,
  };
  gatherRowsInto(dataset.features, featureCount, rows, 0, length, selected.features);
  if (labels !== undefined)
    gatherLabelsInto(labels, rows, 0, length, (selected.labels = new Int32Array(length)));
  if (targets !== undefined && length > 0) {
    const width = targets.length / dataset.count;
    gatherRowsInto(
      targets,
      width,
      rows,
      0,
      length,
      (selected.targets = new Float32Array(length * width)),
    );
  } else if (targets !== undefined) selected.targets = new Float32Array(0);
  const { sampleWeights } = dataset;
  if (sampleWeights) selected.sampleWeights = Float32Array.from(rows, (row) => sampleWeights[row]!);
  if (dataset.doubles) {
    const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
    selected.doubles = new Map(
      [...dataset.doubles].map(([column, values]) => [column, pick(values)]),
    );
  }
  return selected as T;
}

/** Dataset of either task, or of both at once. */
type AnyDataset = DatasetBase & {
  labels?: Int32Array;
  targets?: Float32Array;
  classCount?: number;
  classNames?: readonly string[];
};

/**
 * Checks that `value` is a dataset and that the lengths of its arrays match its counts.
 *
 * @throws ArgumentError naming the wrong field
 */
export function checkDataset(
  argument: string,
  value: unknown,
): asserts value is Dataset | RegressionDataset {
  if (typeof value !== 'object' || value === null || !('features' in value)) {
    fail(argument, 'a dataset: { features, count, featureCount, labels or targets, … }', value);
  }
  const { features, count, featureCount, labels, targets, classCount } =
    value as Partial<AnyDataset>;
  checkInteger(`${argument}.count`, count, 0, 2 ** 32 - 1);
  checkInteger(`${argument}.featureCount`, featureCount, 1, Number.MAX_SAFE_INTEGER);
  checkLength(`${argument}.features`, features, isFloat32Array, count! * featureCount!);
  if (labels === undefined && targets === undefined)
    fail(`${argument}.labels`, 'an Int32Array, or targets in its place', labels);
  if (labels !== undefined) {
    checkLength(`${argument}.labels`, labels, isInt32Array, count!);
    if (classCount !== undefined)
      checkInteger(`${argument}.classCount`, classCount, 1, 2 ** 31 - 1);
  }
  if (
    targets !== undefined &&
    !(isFloat32Array(targets) && (count === 0 ? targets.length === 0 : isMultiple(targets, count!)))
  ) {
    fail(
      `${argument}.targets`,
      `a Float32Array with the same number of values for each of ${count} examples`,
      targets,
    );
  }
  const weights = (value as DatasetBase).sampleWeights;
  if (weights !== undefined)
    checkLength(`${argument}.sampleWeights`, weights, isFloat32Array, count!);
  checkNames(`${argument}.columns`, (value as DatasetBase).columns, featureCount!);
  checkNames(`${argument}.classNames`, (value as AnyDataset).classNames, classCount);
}

function isMultiple(targets: Float32Array, count: number): boolean {
  return targets.length > 0 && targets.length % count === 0;
}

function checkLength(
  argument: string,
  array: unknown,
  isArray: typeof isFloat32Array | typeof isInt32Array,
  length: number,
): void {
  if (isArray(array) && array.length === length) return;
  const type = isArray === isInt32Array ? 'an Int32Array' : 'a Float32Array';
  fail(argument, `${type} of ${length} elements`, array);
}

function checkNames(argument: string, names: unknown, length: number | undefined): void {
  if (names === undefined) return;
  if (!Array.isArray(names) || (length !== undefined && names.length !== length)) {
    fail(argument, `an array of ${length ?? 'all the'} names`, names);
  }
}

/**
 * Checks names of columns or classes and returns a copy of them.
 *
 * @throws ArgumentError unless they are distinct strings, at least one
 */
export function readNames(argument: string, names: unknown): string[] {
  if (!Array.isArray(names) || names.length === 0) fail(argument, 'an array of names', names);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') fail(`${argument}[${index}]`, 'a name', name);
    if (seen.has(name)) fail(`${argument}[${index}]`, 'a name that no other entry has', name);
    seen.add(name);
  }
  return [...names];
}

/**
 * Checks that two datasets have the same names; otherwise equal numbers would have different
 * meanings. A dataset without names matches any.
 *
 * @param what 'columns' or 'classNames'
 * @throws ArgumentError naming the first difference
 */
export function checkSameNames(
  argument: string,
  what: 'columns' | 'classNames',
  expected: readonly string[] | undefined,
  got: readonly string[] | undefined,
): void {
  if (expected === undefined || got === undefined || expected === got) return;
  if (expected.length !== got.length) {
    throw new ArgumentError(`${argument}.${what}`, `${expected.length} names`, `${got.length}`);
  }
  const index = expected.findIndex((name, i) => name !== got[i]);
  if (index >= 0)
    throw new ArgumentError(
      `${argument}.${what}[${index}]`,
      describe(expected[index]),
      describe(got[index]),
    );
}

/** float32 is too coarse for a column if it moves a value by more than this part of its range. */
const USABLE = 2 ** -10;

/**
 * Checks that float32 has not made distinct values of a column equal, or nearly equal. Such a
 * column must be standardized first.
 *
 * @throws DataError naming the column
 */
export function refuseBlurredColumns({
  name,
  features,
  count,
  featureCount,
  columns,
  doubles,
}: DatasetBase): void {
  for (const [column, values] of doubles ?? []) {
    let [low, high, error] = [Infinity, -Infinity, 0];
    for (let i = 0; i < count; i++) {
      low = Math.min(low, values[i]!);
      high = Math.max(high, values[i]!);
      error = Math.max(error, Math.abs(values[i]! - features[i * featureCount + column]!));
    }
    if (high > low && error > USABLE * (high - low)) {
      const label = columnLabel(columns, column);
      const range = `values from ${low} to ${high}`;
      throw new DataError(
        `${name}, ${label}: expected ${range} to stay distinct in float32, but they do not: ` +
          'call standardize first',
      );
    }
  }
}

/** Returns a column as error messages name it. */
export function columnLabel(columns: readonly string[] | undefined, column: number): string {
  return columns ? `column ${quote(columns[column]!)}` : `feature ${column}`;
}

/**
 * Returns text from a file as error messages show it: short, quoted, and without characters that
 * control a terminal or reorder text.
 */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
