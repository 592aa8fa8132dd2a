/** Bringing features to mean 0 and variance 1, by what the training examples alone tell. */
import { fail } from '../validate';
import type { Dataset } from './dataset';

/** What `standardize` did: x became (x - mean[j])/scale[j] in column j. */
export interface Standardized {
  train: Dataset;
  test: Dataset;
  /** Mean of each column over the training examples. */
  mean: Float64Array;
  /** Standard deviation of each column over the training examples (divided by their count); 1 for constant columns. */
  scale: Float64Array;
}

/**
 * Standardizes both datasets by the columns' means and standard deviations over `train`.
 *
 *     x' = (x - mean_j)/scale_j, sums in f64 in the order of the examples
 *
 * The test examples are not looked at, so nothing of them leaks into training. A column that is constant in `train` is only
 * shifted. New datasets; the arguments are left alone.
 *
 * @throws ArgumentError when the datasets have different features, or `train` has no example
 * @example
 * const parts = trainTestSplit(parseCsv(text, { target: 'species' }), { seed: 1 });
 * const { train, test } = standardize(parts.train, parts.test);
 */
export function standardize(train: Dataset, test: Dataset): Standardized {
  if (train.count < 1) fail('train', 'at least one example', train.count);
  if (test.featureCount !== train.featureCount) fail('test', `${train.featureCount} features an example`, test.featureCount);
  const mean = columnMeans(train);
  const scale = columnScales(train, mean);
  return { train: apply(train, mean, scale), test: apply(test, mean, scale), mean, scale };
}

function columnMeans({ features, count, featureCount }: Dataset): Float64Array {
  const mean = new Float64Array(featureCount);
  for (let i = 0; i < features.length; i++) mean[i % featureCount]! += features[i]!;
  for (let j = 0; j < featureCount; j++) mean[j]! /= count;
  return mean;
}

function columnScales({ features, count, featureCount }: Dataset, mean: Float64Array): Float64Array {
  const scale = new Float64Array(featureCount);
  const constant = new Uint8Array(featureCount).fill(1);
  for (let i = 0; i < features.length; i++) {
    const j = i % featureCount;
    const d = features[i]! - mean[j]!;
    scale[j]! += d * d;
    // Compared, not concluded from the sum: the mean of equal numbers may round, and leave a tiny variance to divide by.
    if (features[i] !== features[j]) constant[j] = 0;
  }
  for (let j = 0; j < featureCount; j++) scale[j] = constant[j] ? 1 : Math.sqrt(scale[j]! / count);
  return scale;
}

function apply(dataset: Dataset, mean: Float64Array, scale: Float64Array): Dataset {
  const { featureCount } = dataset;
  const features = dataset.features.map((x, i) => (x - mean[i % featureCount]!) / scale[i % featureCount]!);
  return { ...dataset, features };
}
