/** Random splitting of a dataset in two, which depends only on the seed. */
import { Prng, STREAM_SPLIT } from '../math/prng';
import { checkNumber, checkOptions, fail } from '../validate';
import { checkDataset, type Dataset, type RegressionDataset, selectRows } from './dataset';

/** Options of `trainTestSplit`. */
export interface SplitOptions {
  /** Seed of the split, an integer in [0, 2^53 - 1]. The same seed gives the same split. */
  seed: number;
  /**
   * Fraction of the examples to hold out, in (0, 1), rounded to whole examples.
   * @default 0.25
   */
  testFraction?: number;
}

/**
 * Splits a dataset at random into training and test examples.
 *
 * test.count = floor(count·testFraction + ½). Both parts are copies in random order; they keep the
 * names of columns and classes.
 *
 * @param dataset a dataset of classification or regression
 * @throws ArgumentError for anything but a dataset, for options out of range, and if a part would
 *   be empty
 * @example
 * const { train, test } = trainTestSplit(loadDigits(), { seed: 1 }); // 1,348 and 449 examples
 */
export function trainTestSplit<T extends Dataset | RegressionDataset>(
  dataset: T,
  options: SplitOptions,
): { train: T; test: T } {
  checkDataset('dataset', dataset);
  checkOptions('options', options, ['seed', 'testFraction']);
  const { seed, testFraction = 0.25 } = options;
  checkNumber('testFraction', testFraction, '(0, 1)', (x) => x > 0 && x < 1);
  const { count } = dataset;
  const testCount = Math.floor(count * testFraction + 0.5);
  if (testCount < 1 || testCount >= count) {
    fail(
      'testFraction',
      `a fraction that leaves examples on both sides of a split of ${count}`,
      testFraction,
    );
  }
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) rows[i] = i;
  new Prng(seed, STREAM_SPLIT).shuffle(rows);
  return {
    train: selectRows(dataset, rows.subarray(testCount)),
    test: selectRows(dataset, rows.subarray(0, testCount)),
  };
}
