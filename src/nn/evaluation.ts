/** `evaluate` and `predict`: loss, accuracy, top-k accuracy, confusion matrix, and outputs. */
import { checkInteger, checkModel, checkOptions, fail } from '../validate';
import { lossKindOf } from './losses';
import type { Model } from './model';
import {
  type FeatureTensor,
  loadRange,
  readFeatures,
  readSamples,
  type SampleArrays,
  type SampleFormat,
  type Samples,
} from './samples';

/** Metrics besides loss and accuracy; for losses on classes. */
export interface EvaluateOptions {
  /**
   * Number k of greatest outputs for `topKAccuracy`: an integer in [1, outputs].
   * @default no top-k accuracy
   */
  topK?: number;
  /**
   * Whether to compute the confusion matrix.
   * @default false
   */
  confusion?: boolean;
}

/** Metrics of a model over samples. */
export interface Evaluation {
  /**
   * Mean loss over all samples, independent of the model's batch size. With class weights it is
   * Σ w·ℓ / n, or Σ w·ℓ / Σ w if the loss has the reduction 'weighted-mean'.
   */
  readonly loss: number;
  /**
   * Share of samples whose class has the greatest output; of equal outputs the first one counts as
   * the greatest. A sample with a NaN among its outputs is wrong. Null for losses on values.
   */
  readonly accuracy: number | null;
  /**
   * Share of samples whose class is among the k greatest outputs, by the rules of `accuracy`; null
   * without `topK`.
   */
  readonly topKAccuracy: number | null;
  /**
   * Confusion matrix: `confusion[actual][predicted]` samples; null without the option. Samples with
   * a NaN among their outputs have no predicted class and are left out.
   */
  readonly confusion: readonly (readonly number[])[] | null;
}

/** Sums over the batches evaluated so far. */
class Tally {
  readonly #topK: number;
  readonly confusion: number[][] | null;
  loss = 0;
  correct = 0;
  withinTopK = 0;
  seen = 0;
  weight = 0;

  constructor(classes: number, { topK = 0, confusion = false }: EvaluateOptions) {
    this.#topK = topK;
    this.confusion = confusion
      ? Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
      : null;
  }

  /** Evaluates the batch in the model and adds its counts. */
  add(model: Model, count: number): void {
    const { correct, loss, weight } = model.evaluateBatch(count);
    this.loss += weight * loss;
    this.weight += weight;
    this.correct += correct;
    this.seen += count;
    if (!this.confusion && this.#topK === 0) return;
    const { output, labels, outputSize } = model;
    for (let i = 0; i < count; i++) {
      const row = output.subarray(i * outputSize, (i + 1) * outputSize);
      if (row.some(Number.isNaN)) continue;
      if (this.#topK > 0 && rankOf(row, labels[i]) < this.#topK) this.withinTopK++;
      if (this.confusion) this.confusion[labels[i]][firstGreatest(row)]++;
    }
  }

  result(classes: boolean): Evaluation {
    return {
      loss: this.loss / this.weight,
      accuracy: classes ? this.correct / this.seen : null,
      topKAccuracy: this.#topK > 0 ? this.withinTopK / this.seen : null,
      confusion: this.confusion,
    };
  }
}

/** Returns how many outputs rank before `own`: greater ones, and equal ones of lower index. */
function rankOf(row: Float32Array, own: number): number {
  let rank = 0;
  for (let j = 0; j < row.length; j++)
    if (row[j] > row[own] || (row[j] === row[own] && j < own)) rank++;
  return rank;
}

/** Returns the index of the greatest output, the first of equal ones. */
function firstGreatest(row: Float32Array): number {
  let best = 0;
  for (let j = 1; j < row.length; j++) if (row[j] > row[best]) best = j;
  return best;
}

/**
 * Checks the samples and options of an evaluation.
 * @throws ArgumentError if they do not fit the model
 */
export function readEvaluation(
  argument: string,
  model: SampleFormat,
  samples: Samples,
  options: EvaluateOptions = {},
): SampleArrays {
  checkOptions('options', options, ['topK', 'confusion']);
  const { topK, confusion } = options;
  const arrays = readSamples(argument, model, samples);
  if (topK !== undefined) checkInteger('topK', topK, 1, model.outputSize);
  if (confusion !== undefined && typeof confusion !== 'boolean')
    fail('confusion', 'true or false', confusion);
  if (lossKindOf(model.loss).targets !== 'classes' && (topK !== undefined || confusion)) {
    fail('options', 'neither topK nor confusion, which are for classes', options);
  }
  return arrays;
}

/**
 * Evaluates batch by batch. It is a generator, so that the caller can yield to the event loop
 * between batches.
 * @throws ArgumentError, from the first `next()`, for samples or options that do not fit the model
 */
export function* evaluationOf(
  argument: string,
  model: Model,
  samples: Samples,
  options: EvaluateOptions = {},
): Generator<void, Evaluation> {
  const read = typeof options === 'object' && options !== null ? { ...options } : options;
  const arrays = readEvaluation(argument, model, samples, read);
  const { count } = arrays;
  const tally = new Tally(model.outputSize, read);
  for (let from = 0; from < count; from += model.batchSize) {
    const size = Math.min(model.batchSize, count - from);
    loadRange(model, arrays, from, size);
    tally.add(model, size);
    yield;
  }
  return tally.result(lossKindOf(model.loss).targets === 'classes');
}

/**
 * Computes the mean loss and, for losses on classes, the accuracy over any number of samples.
 *
 * @param samples features with labels or targets, at least one sample
 * @throws ArgumentError for samples or options that do not fit the model, and for samples whose
 * classes or columns have other names than those that the model was trained with
 * @example const { accuracy, confusion } = evaluate(model, test, { confusion: true });
 */
export function evaluate(
  model: Model,
  samples: Samples,
  options: EvaluateOptions = {},
): Evaluation {
  checkModel('model', model);
  const batches = evaluationOf('samples', model, samples, options);
  for (let step = batches.next(); ; step = batches.next()) if (step.done) return step.value;
}

/**
 * Computes the model's outputs for any number of samples.
 *
 * @param features samples × inputSize values, row-major, or a tensor of them
 * @returns a new array of samples × outputSize values, row-major
 * @throws ArgumentError if the features are not a whole number of samples
 * @example const [probabilityOfRain] = predict(model, today);
 */
export function predict(model: Model, features: Float32Array | FeatureTensor): Float32Array {
  const { inputSize, outputSize, batchSize } = checkModel('model', model);
  const values = readFeatures('features', features);
  if (values.length % inputSize !== 0)
    fail('features', `a Float32Array of ${inputSize} values per sample`, values);
  const count = values.length / inputSize;
  const outputs = new Float32Array(count * outputSize);
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    model.input.set(values.subarray(from * inputSize, (from + size) * inputSize));
    outputs.set(model.predictBatch(size), from * outputSize);
  }
  return outputs;
}
