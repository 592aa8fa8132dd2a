/** Scaling of features to mean 0 and variance 1, by the statistics of the training examples. */
import { DataError } from '../errors';
import { fail } from '../validate';
import {
  checkDataset,
  checkSameNames,
  columnLabel,
  type Dataset,
  type RegressionDataset,
} from './dataset';

/** Result of `standardize`: in column j, x became (x - mean[j])/scale[j]. */
export interface Standardized<T extends Dataset | RegressionDataset = Dataset> {
  /** The standardized training examples. */
  train: T;
  /** The standardized test examples. */
  test: T;
  /** Mean of each column over the training examples. */
  mean: Float64Array;
  /**
   * Standard deviation of each column over the training examples (the population form, divided by
   * their count); 1 for constant columns.
   */
  scale: Float64Array;
}

/**
 * Standardizes both datasets by the columns' means and standard deviations over `train`.
 *
 *     x' = (x - mean_j)/scale_j, sums in f64 in the order of the examples
 *
 * The test examples do not enter the statistics, so nothing of them leaks into training. A column
 * that is constant in `train` is only shifted. For columns in `dataset.doubles`, which float32
 * would round too much, it reads those instead of `features`; there, values that differ by at most
 * 2^-48 of their size count as equal. It returns new datasets, and copies neither targets nor
 * labels. A `test` without examples is allowed.
 *
 * @throws ArgumentError if an argument is not a dataset, if the columns, their names or the names
 *   of the classes differ, if `train` has no examples, or if features were changed after `parseCsv`
 *   while `doubles` was kept
 * @throws DataError naming the column, if a value is or becomes NaN or infinite, or if more than
 *   half of the differences between consecutive training examples vanish in float32 even so: an
 *   outlier, such as 0 for a missing time, leaves no precision for the other values
 * @example
 * const parts = trainTestSplit(parseCsv(text, { target: 'species' }), { seed: 1 });
 * const { train, test } = standardize(parts.train, parts.test);
 */
export function standardize<T extends Dataset | RegressionDataset>(
  train: T,
  test: T,
): Standardized<T> {
  checkDataset('train', train);
  checkDataset('test', test);
  if (train.count < 1) fail('train', 'at least one example', train.count);
  if (test.featureCount !== train.featureCount)
    fail('test', `${train.featureCount} features an example`, test.featureCount);
  checkSameNames('test', 'columns', train.columns, test.columns);
  checkSameNames(
    'test',
    'classNames',
    (train as Partial<Dataset>).classNames,
    (test as Partial<Dataset>).classNames,
  );
  checkDoubles('train', train);
  checkDoubles('test', test);
  const { mean, scale } = statistics(train);
  const standardized = {
    train: apply(train, mean, scale),
    test: apply(test, mean, scale),
    mean,
    scale,
  };
  refuseNonFinite(train, standardized.train.features);
  refuseNonFinite(test, standardized.test.features);
  refuseVanished(train, standardized.train.features);
  return standardized;
}

function statistics(train: Dataset | RegressionDataset): {
  mean: Float64Array;
  scale: Float64Array;
} {
  const mean = columnMeans(train);
  const scale = columnScales(train, mean);
  for (const [column, values] of train.doubles ?? [])
    [mean[column], scale[column]] = momentsOf(values);
  return { mean, scale };
}

function columnMeans({ features, count, featureCount }: Dataset | RegressionDataset): Float64Array {
  const mean = new Float64Array(featureCount);
  for (let i = 0; i < features.length; i++) mean[i % featureCount]! += features[i]!;
  for (let j = 0; j < featureCount; j++) mean[j]! /= count;
  return mean;
}

function columnScales(
  { features, count, featureCount }: Dataset | RegressionDataset,
  mean: Float64Array,
): Float64Array {
  const scale = new Float64Array(featureCount);
  const constant = new Uint8Array(featureCount).fill(1);
  for (let i = 0; i < features.length; i++) {
    const j = i % featureCount;
    const d = features[i]! - mean[j]!;
    scale[j]! += d * d;
    // Compares values, since the mean of equal numbers may round and leave a tiny variance.
    if (features[i] !== features[j]) constant[j] = 0;
  }
  for (let j = 0; j < featureCount; j++) scale[j] = constant[j] ? 1 : Math.sqrt(scale[j]! / count);
  return scale;
}

/**
 * Returns mean and scale of a column of doubles. Sums differences from the first value, which are
 * small if the values are close.
 */
function momentsOf(values: Float64Array): [mean: number, scale: number] {
  const first = values[0]!;
  const unit = largestMagnitude(values);
  let [sum, low, high] = [0, first, first];
  for (const x of values) {
    sum += (x - first) / values.length;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (high - low <= NOISE * unit) return [first + sum, 1];
  let squares = 0;
  for (const x of values) {
    const d = (x - first - sum) / (high - low);
    squares += d * d;
  }
  return [first + sum, (high - low) * Math.sqrt(squares / values.length)];
}

/** Values whose relative difference is below this differ only by earlier rounding. */
const NOISE = 2 ** -48;

function largestMagnitude(values: Float64Array): number {
  let largest = 0;
  for (const x of values) largest = Math.max(largest, Math.abs(x));
  return largest;
}

/** Checks that features still match `doubles`, which would overwrite features changed by hand. */
function checkDoubles(
  argument: string,
  { features, count, featureCount, doubles }: Dataset | RegressionDataset,
): void {
  for (const [column, values] of doubles ?? []) {
    const path = `${argument}.doubles`;
    if (column >= featureCount || values.length !== count)
      fail(path, `${count} values for each of its columns`, values);
    for (let i = 0; i < count; i++) {
      if (features[i * featureCount + column] !== Math.fround(values[i]!)) {
        fail(
          path,
          `the values of feature ${column} (delete "doubles" if you change features)`,
          values[i],
        );
      }
    }
  }
}

function apply<T extends Dataset | RegressionDataset>(
  dataset: T,
  mean: Float64Array,
  scale: Float64Array,
): T {
  const { featureCount, doubles } = dataset;
  const features = dataset.features.map(
    (x, i) => (x - mean[i % featureCount]!) / scale[i % featureCount]!,
  );
  for (const [column, values] of doubles ?? []) {
    for (let i = 0; i < values.length; i++)
      features[i * featureCount + column] = (values[i]! - mean[column]!) / scale[column]!;
  }
  const standardized = { ...dataset, features };
  delete standardized.doubles;
  return standardized;
}

function refuseNonFinite(
  { name, features, featureCount, columns }: Dataset | RegressionDataset,
  standardized: Float32Array,
): void {
  const given = features.findIndex((x) => !Number.isFinite(x));
  const wrong = given >= 0 ? given : standardized.findIndex((x) => !Number.isFinite(x));
  if (wrong < 0) return;
  const example = Math.floor(wrong / featureCount);
  const place = `${name}, example ${example}, ${columnLabel(columns, wrong % featureCount)}`;
  if (given >= 0) throw new DataError(`${place}: expected a finite number, got ${features[given]}`);
  throw new DataError(
    `${place}: expected ${features[wrong]} to stay finite in float32 when standardized, ` +
      'but it does not',
  );
}

function refuseVanished(
  { name, features, featureCount, columns, doubles }: Dataset | RegressionDataset,
  standardized: Float32Array,
): void {
  const changes = new Float64Array(featureCount);
  const vanished = new Float64Array(featureCount);
  for (let i = featureCount; i < features.length; i++) {
    const j = i % featureCount;
    if (features[i] === features[i - featureCount]) continue;
    changes[j]!++;
    if (standardized[i] === standardized[i - featureCount]) vanished[j]!++;
  }
  for (const [column, values] of doubles ?? []) {
    [changes[column], vanished[column]] = [0, 0];
    const noise = NOISE * largestMagnitude(values);
    for (let i = 1; i < values.length; i++) {
      if (Math.abs(values[i]! - values[i - 1]!) <= noise) continue;
      changes[column]!++;
      const at = i * featureCount + column;
      if (standardized[at] === standardized[at - featureCount]) vanished[column]!++;
    }
  }
  for (let j = 0; j < featureCount; j++) {
    if (2 * vanished[j]! <= changes[j]!) continue;
    throw new DataError(
      `${name}, ${columnLabel(columns, j)}: ${vanished[j]} of ${changes[j]} differences between ` +
        'consecutive examples vanish in float32 even when standardized: look for outliers, such ' +
        'as 0 in place of a missing value',
    );
  }
}
