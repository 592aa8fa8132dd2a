/** `evaluate` and `predict`: loss, accuracy, top-k accuracy, confusion matrix, and outputs. */
import { elementCount } from '../math/shape';
import { checkInteger, checkModel, checkOptions, fail } from '../validate';
import { lossKindOf } from './losses';
import type { Model } from './model';
import {
  loadRange,
  readInputs,
  readSamples,
  type SampleArrays,
  type SampleFormat,
  type Samples,
  type TargetFormat,
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
  /** Results by the names of the outputs; present only if the model has several losses. */
  readonly outputs?: Readonly<Record<string, OutputEvaluation>>;
}

/** Results of one of several outputs. */
export interface OutputEvaluation {
  /** Mean loss over all samples, without its weight in the model's loss. */
  readonly loss: number;
  /** Share of samples whose class has the greatest output; null for a loss on values. */
  readonly accuracy: number | null;
}

/** Sums over the batches evaluated so far. */
class Tally {
  readonly #topK: number;
  readonly #targets: readonly TargetFormat[];
  readonly #lossWeights: readonly number[];
  readonly confusion: number[][] | null;
  /** By output with a loss. */
  readonly #sums: readonly { loss: number; weight: number; correct: number }[];
  withinTopK = 0;
  seen = 0;

  constructor(model: Model, { topK = 0, confusion = false }: EvaluateOptions) {
    this.#topK = topK;
    this.#targets = model.format.targets;
    this.#lossWeights = model.lossWeights;
    this.#sums = this.#targets.map(() => ({ loss: 0, weight: 0, correct: 0 }));
    this.confusion = confusion ? emptyMatrix(this.#targets[0].size) : null;
  }

  /** Evaluates the batch in the model and adds its counts. */
  add(model: Model, count: number): void {
    for (const [index, { loss, weight, correct }] of model.evaluateOutputs(count).entries()) {
      const sum = this.#sums[index];
      sum.loss += weight * loss;
      sum.weight += weight;
      sum.correct += correct;
    }
    this.seen += count;
    if (!this.confusion && this.#topK === 0) return;
    const { labels } = model;
    const { size, name } = this.#targets[0];
    const output = model.outputs[name];
    for (let i = 0; i < count; i++) {
      const row = output.subarray(i * size, (i + 1) * size);
      if (row.some(Number.isNaN)) continue;
      if (this.#topK > 0 && rankOf(row, labels[i]) < this.#topK) this.withinTopK++;
      if (this.confusion) this.confusion[labels[i]][firstGreatest(row)]++;
    }
  }

  result(): Evaluation {
    const outputs = this.#sums.map(({ loss, weight, correct }, index) => ({
      loss: loss / weight,
      accuracy: isOnClasses(this.#targets[index]) ? correct / this.seen : null,
    }));
    const alone = outputs.length === 1;
    const weighted = outputs.map(({ loss }, index) => this.#lossWeights[index] * loss);
    return {
      loss: weighted.reduce((sum, each) => sum + each, 0),
      accuracy: alone ? outputs[0].accuracy : null,
      topKAccuracy: this.#topK > 0 ? this.withinTopK / this.seen : null,
      confusion: this.confusion,
      ...(!alone && {
        outputs: Object.fromEntries(outputs.map((each, i) => [this.#targets[i].name, each])),
      }),
    };
  }
}

const isOnClasses = ({ loss }: TargetFormat) => lossKindOf(loss).targets === 'classes';

function emptyMatrix(size: number): number[][] {
  return Array.from({ length: size }, () => new Array<number>(size).fill(0));
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
  format: SampleFormat,
  samples: Samples,
  options: EvaluateOptions = {},
): SampleArrays {
  checkOptions('options', options, ['topK', 'confusion']);
  const { topK, confusion } = options;
  const { targets } = format;
  if (targets.length === 0) fail('model', 'a model with a loss', 'none');
  const arrays = readSamples(argument, format, samples);
  const classes = targets.length === 1 && isOnClasses(targets[0]);
  if (topK !== undefined) checkInteger('topK', topK, 1, targets[0].size);
  if (confusion !== undefined && typeof confusion !== 'boolean')
    fail('confusion', 'true or false', confusion);
  if (!classes && (topK !== undefined || confusion))
    fail('options', 'neither topK nor confusion, which are for one loss on classes', options);
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
  const arrays = readEvaluation(argument, model.format, samples, read);
  const { count } = arrays;
  const tally = new Tally(model, read);
  for (let from = 0; from < count; from += model.batchSize) {
    const size = Math.min(model.batchSize, count - from);
    loadRange(model, arrays, from, size);
    tally.add(model, size);
    yield;
  }
  return tally.result();
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
 * @param features samples × inputSize values, row-major, or a tensor of them; of several inputs, by
 * name
 * @returns a new array of samples × outputSize values, row-major
 * @throws ArgumentError if the features are not a whole number of samples, or if the model has
 * several outputs (see `predictOutputs`)
 * @example const [probabilityOfRain] = predict(model, today);
 */
export function predict(model: Model, features: Samples['features']): Float32Array {
  checkModel('model', model);
  // Refuses a model with several outputs.
  void model.outputSize;
  return predictAll(model, features)[0];
}

/**
 * Computes all outputs of a model for any number of samples.
 *
 * @param features as in `predict`
 * @returns new arrays by the names of the outputs, each samples × values per sample, row-major
 * @throws ArgumentError if the features are not a whole number of samples
 * @example const { digit, parity } = predictOutputs(model, { image: pixels });
 */
export function predictOutputs(
  model: Model,
  features: Samples['features'],
): Record<string, Float32Array> {
  checkModel('model', model);
  const outputs = predictAll(model, features);
  const names = Object.keys(model.outputShapes);
  return Object.fromEntries(names.map((name, index) => [name, outputs[index]]));
}

function predictAll(model: Model, features: Samples['features']): Float32Array[] {
  const { count, features: values } = readInputs('features', model.format, features, 0);
  const { batchSize } = model;
  const sizes = Object.values(model.outputShapes).map(elementCount);
  const results = sizes.map((size) => new Float32Array(count * size));
  for (let from = 0; from < count; from += batchSize) {
    const length = Math.min(batchSize, count - from);
    loadRange(model, { count, features: values, targets: [] }, from, length);
    for (const [index, output] of model.predictOutputs(length).entries())
      results[index].set(output, from * sizes[index]);
  }
  return results;
}
