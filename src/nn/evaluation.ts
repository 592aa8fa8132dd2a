/** `evaluate` and `predict`: loss, accuracy and other metrics, and outputs. */
import { elementCount } from '../math/shape';
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import { checkInteger, checkModel, checkOptions, fail } from '../validate';
import { createSource } from './batch-source';
import { ignoredLabel, lossKindOf } from './losses';
import {
  type ClassMetrics,
  checkMetricNames,
  firstGreatest,
  type MetricName,
  type Metrics,
  MetricTally,
} from './metrics';
import type { Model } from './model';
import {
  type ChunkStream,
  loadRange,
  readInputs,
  readSamples,
  type SampleArrays,
  type SampleFormat,
  type Samples,
  type TargetFormat,
  type WeightsByOutput,
} from './samples';

/** Metrics besides loss and accuracy. */
export interface EvaluateOptions {
  /**
   * Number k of greatest outputs for `topKAccuracy`: an integer in [1, classes]; for one loss on
   * classes.
   * @default no top-k accuracy
   */
  topK?: number;
  /**
   * Whether to compute the confusion matrix; for one loss on classes.
   * @default false
   */
  confusion?: boolean;
  /**
   * Names of metrics to compute besides: see `MetricName`. With several losses each is computed for
   * every output to which it applies.
   * @default none
   */
  metrics?: readonly MetricName[];
}

/** Metrics of a model over samples. */
export interface Evaluation {
  /**
   * Mean loss over all samples (and positions), each times its sample weight if it has one,
   * independent of the model's batch size. With class weights it is
   * Σ w·ℓ / n, or Σ w·ℓ / Σ w if the loss has the reduction 'weighted-mean'.
   */
  readonly loss: number;
  /**
   * Share of samples whose class has the greatest output; of equal outputs the first one counts as
   * the greatest. A sample with a NaN among its outputs is wrong. Positions count one by one, without
   * those whose label is ignored. Null for losses on values, and if there are no labels to count.
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
  /** Values of the `metrics` that were asked for; absent if none were. */
  readonly metrics?: Metrics;
  /**
   * Precision, recall and F1 by class; present if one of them was asked for, of a model with one
   * loss over classes.
   */
  readonly perClass?: ClassMetrics;
  /** Results by the names of the outputs; present only if the model has several losses. */
  readonly outputs?: Readonly<Record<string, OutputEvaluation>>;
}

/** Results of one of several outputs. */
export interface OutputEvaluation {
  /** Mean loss over all samples, without its weight in the model's loss. */
  readonly loss: number;
  /** Share of samples whose class has the greatest output; null as in `Evaluation`. */
  readonly accuracy: number | null;
}

/** Sums over the batches evaluated so far. */
class Tally {
  readonly #topK: number;
  readonly #targets: readonly TargetFormat[];
  readonly #lossWeights: readonly number[];
  readonly confusion: number[][] | null;
  /** By output with a loss. */
  readonly #sums: readonly { loss: number; weight: number; correct: number; counted: number }[];
  readonly #metrics: MetricTally | null;
  withinTopK = 0;
  /** Penalties of the model's weights. */
  #penalty = 0;

  constructor(model: Model, { topK = 0, confusion = false, metrics = [] }: EvaluateOptions) {
    this.#topK = topK;
    this.#targets = model.format.targets;
    this.#lossWeights = model.lossWeights;
    this.#sums = this.#targets.map(() => ({ loss: 0, weight: 0, correct: 0, counted: 0 }));
    this.#metrics = metrics.length > 0 ? new MetricTally(model.format, metrics) : null;
    this.confusion = confusion ? emptyMatrix(this.#targets[0].size) : null;
  }

  /** Evaluates the batch in the model and adds its counts. */
  add(model: Model, count: number, sampleWeights?: WeightsByOutput): void {
    const options = sampleWeights && { sampleWeights };
    for (const [index, each] of model.evaluateOutputs(count, options).entries()) {
      const sum = this.#sums[index];
      sum.loss += each.weight * each.loss;
      sum.weight += each.weight;
      sum.correct += each.correct;
      sum.counted += each.counted;
    }
    this.#penalty = model.penalty;
    this.#metrics?.add(model.outputs, model.batch.targets, count);
    if (!this.confusion && this.#topK === 0) return;
    const { labels } = model;
    const { size, name, positions, loss } = this.#targets[0];
    const ignored = ignoredLabel(loss);
    const output = model.outputs[name];
    for (let i = 0; i < count * positions; i++) {
      if (labels[i] === ignored) continue;
      const row = output.subarray(i * size, (i + 1) * size);
      if (row.some(Number.isNaN)) continue;
      if (this.#topK > 0 && rankOf(row, labels[i]) < this.#topK) this.withinTopK++;
      if (this.confusion) this.confusion[labels[i]][firstGreatest(row)]++;
    }
  }

  result(): Evaluation {
    const outputs = this.#sums.map(({ loss, weight, correct, counted }, index) => ({
      loss: meanOf(loss, weight),
      accuracy: isOnClasses(this.#targets[index]) && counted > 0 ? correct / counted : null,
    }));
    const [{ counted }] = this.#sums;
    const perClass = this.#metrics?.perClass();
    const alone = outputs.length === 1;
    const weighted = outputs.map(({ loss }, index) => this.#lossWeights[index] * loss);
    return {
      loss: weighted.reduce((sum, each) => sum + each, 0) + this.#penalty,
      accuracy: alone ? outputs[0].accuracy : null,
      topKAccuracy: this.#topK > 0 && counted > 0 ? this.withinTopK / counted : null,
      confusion: this.confusion,
      ...(this.#metrics && { metrics: this.#metrics.result() }),
      ...(perClass && { perClass }),
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

/** Returns a mean, given the weighted sum and the weight: 0 of nothing. */
export function meanOf(sum: number, weight: number): number {
  return weight === 0 ? 0 : sum / weight;
}

/**
 * Checks the options of an evaluation.
 * @param argument name of the option that lists metrics, in errors
 * @throws ArgumentError if they do not fit the model
 */
export function checkEvaluateOptions(
  format: SampleFormat,
  options: EvaluateOptions,
  argument = 'metrics',
): void {
  checkOptions('options', options, ['topK', 'confusion', 'metrics']);
  const { topK, confusion, metrics } = options;
  const { targets } = format;
  if (targets.length === 0) fail('model', 'a model with a loss', 'none');
  const classes = targets.length === 1 && isOnClasses(targets[0]);
  if (topK !== undefined) checkInteger('topK', topK, 1, targets[0].size);
  if (confusion !== undefined && typeof confusion !== 'boolean')
    fail('confusion', 'true or false', confusion);
  if (!classes && (topK !== undefined || confusion))
    fail('options', 'neither topK nor confusion, which are for one loss on classes', options);
  if (metrics !== undefined) checkMetricNames(argument, metrics, format);
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
  checkEvaluateOptions(format, options);
  return readSamples(argument, format, samples);
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
    const weights = loadRange(model, arrays, from, size);
    tally.add(model, size, weights);
    yield;
  }
  return tally.result();
}

/**
 * Computes the mean loss and, for losses on classes, the accuracy over any number of samples.
 * `evaluateStream` does it for a stream.
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
 * Evaluates a stream of chunks, which are cut into batches, so that the result does not depend on
 * how the stream is cut into chunks.
 *
 * @param open function that opens the stream, at least one sample long
 * @returns what `evaluate` returns for the same samples in memory
 * @throws ArgumentError for samples or options that do not fit the model
 * @example const { loss } = await evaluateStream(model, () => readChunks('test.csv'));
 */
export async function evaluateStream(
  model: Model,
  open: () => ChunkStream,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkModel('model', model);
  if (typeof open !== 'function') fail('open', 'a function that opens a stream of chunks', open);
  return evaluateChunks('open', model, open, options, Number.POSITIVE_INFINITY);
}

/** Evaluates a stream in time slices of `budgetMs` milliseconds. */
export async function evaluateChunks(
  argument: string,
  model: Model,
  open: () => ChunkStream,
  options: EvaluateOptions = {},
  budgetMs: number,
): Promise<Evaluation> {
  const read = { ...options };
  checkEvaluateOptions(model.format, read);
  const source = createSource(model, open, { seed: 0, argument });
  const tally = new Tally(model, read);
  let start = performance.now();
  try {
    await source.start(1, 0, 0);
    for (let count = await source.next(); count; count = await source.next()) {
      const weights = source.load();
      tally.add(model, count, weights);
      if (performance.now() - start < budgetMs) continue;
      await yieldToEventLoop();
      start = performance.now();
    }
    return tally.result();
  } finally {
    await source.close();
  }
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
