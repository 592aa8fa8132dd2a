/** Judging a model, and using it: loss, accuracy, top-k, confusion, predictions. */
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

export interface EvaluateOptions {
  /**
   * Also counts a sample as right when its class is among the k greatest outputs: an integer in [1,
   * outputs].
   */
  topK?: number;
  /** Also counts which class was taken for which. @default false */
  confusion?: boolean;
}

export interface Evaluation {
  /**
   * Mean loss over all samples, whatever the model's batch size: with class weights Σ w·ℓ / n, or Σ
   * w·ℓ / Σ w if the loss has the reduction 'weighted-mean'.
   */
  readonly loss: number;
  /**
   * Share of samples whose class has the greatest output, the first of equals; null for losses on
   * values. A sample any of whose outputs is NaN is wrong.
   */
  readonly accuracy: number | null;
  /**
   * Share whose class is among the k greatest, the first of equals, if asked for. Outputs that are
   * NaN make a sample wrong here too.
   */
  readonly topKAccuracy: number | null;
  /**
   * confusion[actual][predicted], if asked for. Samples any of whose outputs is NaN are predicted
   * to be no class, and left out.
   */
  readonly confusion: readonly (readonly number[])[] | null;
}

/** Counts over the batches evaluated so far. */
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

  /** Adds the batch in the model. */
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

/** How many outputs are taken before `own`: greater ones, and equal ones of lower index. */
function rankOf(row: Float32Array, own: number): number {
  let rank = 0;
  for (let j = 0; j < row.length; j++)
    if (row[j] > row[own] || (row[j] === row[own] && j < own)) rank++;
  return rank;
}

/** Index of the first greatest. */
function firstGreatest(row: Float32Array): number {
  let best = 0;
  for (let j = 1; j < row.length; j++) if (row[j] > row[best]) best = j;
  return best;
}

/**
 * Checks what is to be evaluated; throws an ArgumentError unless samples and options fit the model.
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
 * Evaluates batch by batch: a generator, so that its caller may do something else in between.
 * @throws ArgumentError, at its first turn, for samples or options that do not fit the model
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
 * Computes the mean loss and, for classes, the accuracy over samples, whatever their number.
 *
 * @throws ArgumentError for samples or options that do not fit the model, and for samples whose
 * classes or columns have other
 * names than those it was trained with
 * @example const { accuracy, confusion } = evaluate(model, test, { confusion: true });
 */
export function evaluate(
  model: Model,
  samples: Samples,
  options: EvaluateOptions = {},
): Evaluation {
  checkModel('model', model);
  const batches = evaluationOf('samples', model, samples, options);
  for (let turn = batches.next(); ; turn = batches.next()) if (turn.done) return turn.value;
}

/**
 * The model's outputs for any number of samples: count × outputSize, row-major.
 *
 * @param features count × inputSize values, row-major; or a tensor of them
 * @throws ArgumentError when they are no whole number of samples
 * @example const [probabilityOfRain] = predict(model, today);
 */
export function predict(model: Model, features: Float32Array | FeatureTensor): Float32Array {
  const { inputSize, outputSize, batchSize } = checkModel('model', model);
  const values = readFeatures('features', features);
  if (values.length % inputSize !== 0)
    fail('features', `a Float32Array of ${inputSize} values a sample`, values);
  const count = values.length / inputSize;
  const outputs = new Float32Array(count * outputSize);
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    model.input.set(values.subarray(from * inputSize, (from + size) * inputSize));
    outputs.set(model.predictBatch(size), from * outputSize);
  }
  return outputs;
}
