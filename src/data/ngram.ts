/** n-gram models of text, the baselines of a language model. */
import { ArgumentError } from '../errors';
import { log } from '../math/log';
import { checkInteger, fail } from '../validate';
import { checkDataset, checkSameNames, type Dataset } from './dataset';

/** Contexts are numbered exactly below this. */
const MAX_KEYS = 2 ** 53;

/**
 * Returns the mean losses, in nats per character, of the n-gram models of orders 1 to `order`. They
 * are counted on one text and evaluated on another, both given as windows (`textWindows`) with at
 * least order - 1 characters of context.
 *
 * The models are smoothed by the method of Witten and Bell (1991), which has no parameters. Let h
 * be the n - 1 characters before c, h' all but the first of them, N(h, c) the number of times that
 * c followed h, N(h) the number of times that any character did, and T(h) the number of distinct
 * characters that did. Then
 *
 *     P(c | h) = (N(h, c) + T(h)·P(c | h'))/(N(h) + T(h)),   P(c | h) = P(c | h') where N(h) = 0,
 *
 * down to P(c) = 1/classes below order 1.
 *
 * @returns `order` losses: of the unigram, the bigram, …
 * @throws ArgumentError for anything but windows of text, for windows without examples, for an
 *   order beyond the context or beyond exact counting (classes^order > 2^53), and for texts that
 *   differ in context or vocabulary
 * @example
 * const [unigram, bigram] = ngramLosses(train, test, 2);
 */
export function ngramLosses(train: Dataset, test: Dataset, order: number): number[] {
  checkWindows('train', train);
  checkWindows('test', test);
  const { featureCount: context, classCount } = train;
  checkInteger('order', order, 1, context + 1);
  if (classCount ** order > MAX_KEYS)
    throw new ArgumentError('order', `classes^order ≤ 2^53 (${classCount} classes)`, `${order}`);
  if (test.featureCount !== context || test.classCount !== classCount) {
    throw new ArgumentError(
      'test',
      `windows of ${context} among ${classCount} classes`,
      `${test.featureCount} among ${test.classCount}`,
    );
  }
  checkSameNames('test', 'classNames', train.classNames, test.classNames);
  let below = new Float64Array(test.count).fill(1 / classCount);
  const losses: number[] = [];
  for (let n = 1; n <= order; n++) {
    below = new NgramCounts(train, n).probabilities(test, below);
    losses.push(below.reduce((sum, probability) => sum - log(probability), 0) / test.count);
  }
  return losses;
}

/** Checks that all features and labels of a dataset are class indices. */
function checkWindows(argument: string, windows: Dataset): void {
  checkDataset(argument, windows);
  const { count, features, labels, classCount } = windows;
  if (count < 1) fail(argument, 'at least one example', count);
  checkInteger(`${argument}.classCount`, classCount, 1, 2 ** 31 - 1);
  for (const [key, values] of Object.entries({ features, labels })) {
    if (values === undefined) fail(`${argument}.${key}`, 'class indices', values);
    const isIndex = (x: number) => Number.isInteger(x) && x >= 0 && x < classCount;
    const wrong = (values as Float32Array).findIndex((x) => !isIndex(x));
    if (wrong >= 0)
      fail(
        `${argument}.${key}[${wrong}]`,
        `the index of one of ${classCount} classes`,
        values[wrong],
      );
  }
}

/** Counts of the characters that followed each sequence of n - 1 characters. */
class NgramCounts {
  readonly #n: number;
  readonly #totals = new Map<number, number>();
  readonly #kinds = new Map<number, number>();
  readonly #pairs = new Map<number, number>();

  constructor(train: Dataset, n: number) {
    this.#n = n;
    for (let i = 0; i < train.count; i++) {
      const history = historyOf(train, i, n);
      const pair = history * train.classCount + train.labels[i];
      const seen = this.#pairs.get(pair) ?? 0;
      this.#pairs.set(pair, seen + 1);
      this.#totals.set(history, (this.#totals.get(history) ?? 0) + 1);
      if (seen === 0) this.#kinds.set(history, (this.#kinds.get(history) ?? 0) + 1);
    }
  }

  /** Returns the probability of each label. @param below those of the next lower order */
  probabilities(test: Dataset, below: Float64Array): Float64Array<ArrayBuffer> {
    const probabilities = new Float64Array(test.count);
    for (let i = 0; i < test.count; i++) {
      const history = historyOf(test, i, this.#n);
      const total = this.#totals.get(history) ?? 0;
      const kinds = this.#kinds.get(history) ?? 0;
      const pair = this.#pairs.get(history * test.classCount + test.labels[i]) ?? 0;
      probabilities[i] = total === 0 ? below[i] : (pair + kinds * below[i]) / (total + kinds);
    }
    return probabilities;
  }
}

/** Returns the last n - 1 characters of an example's context as one number. */
function historyOf(
  { features, featureCount, classCount }: Dataset,
  example: number,
  n: number,
): number {
  let key = 0;
  for (let j = featureCount - n + 1; j < featureCount; j++)
    key = key * classCount + features[example * featureCount + j];
  return key;
}
