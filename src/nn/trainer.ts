/**
 * Training of a classifier, epoch by epoch.
 *
 * Invariant: a run is a pure function of model, data, optimizer and seed; progress reports, pauses and threads do not change it.
 */
import { BatchOrder, type Dataset, gatherInto, gatherLabelsInto } from '../data';
import { checkInteger, checkOptions } from '../validate';
import { checkData, type Model } from './model';

/** What a trainer needs of an optimizer. */
export interface StepsParameters {
  step(): { skipped: boolean };
}

export interface TrainOptions {
  train: Dataset;
  /** Evaluated after every epoch. */
  test?: Dataset;
  epochs: number;
  /** Of the order of samples. @default 0 */
  seed?: number;
  /** Called between batches, now and then, and after every epoch. */
  onProgress?: (progress: TrainProgress) => void;
  /** Ends training after the batch under way; what was learnt stays. */
  signal?: AbortSignal;
}

export interface TrainProgress {
  /** 1-based. */
  readonly epoch: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  readonly batchCount: number;
  /** Mean loss of this epoch's batches so far, nats. */
  readonly loss: number;
  /** Samples a second since training began, evaluation apart. */
  readonly samplesPerSecond: number;
  /** The epoch's figures once it is complete. */
  readonly result: EpochResult | null;
}

export interface EpochResult {
  readonly epoch: number;
  /** Mean loss over the epoch's batches as they were trained on, nats. */
  readonly trainLoss: number;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  readonly skippedSteps: number;
}

export interface TrainResult {
  readonly epochs: readonly EpochResult[];
  readonly steps: number;
  /** Whether `signal` ended it early. */
  readonly aborted: boolean;
  readonly samplesPerSecond: number;
}

/** How often progress is reported and the event loop turns, milliseconds. */
const PROGRESS_MS = 50;

/**
 * Trains `model` with `optimizer`, which must hold the model's parameters.
 * @throws ArgumentError when data and model do not fit
 */
export async function trainClassifier(model: Model, optimizer: StepsParameters, options: TrainOptions): Promise<TrainResult> {
  checkOptions('options', options, ['train', 'test', 'epochs', 'seed', 'onProgress', 'signal']);
  const { train, test, seed = 0, signal, onProgress = () => {} } = options;
  checkInteger('epochs', options.epochs, 1, 2 ** 31 - 1);
  checkData(model, train);
  if (test) checkData(model, test);
  const order = new BatchOrder(train.count, model.batchSize, seed);
  const epochs: EpochResult[] = [];
  const clock = { trainingMs: 0, samples: 0 };
  const rate = () => (clock.trainingMs > 0 ? (1000 * clock.samples) / clock.trainingMs : 0);
  let steps = 0;
  for (let epoch = 1; epoch <= options.epochs && !signal?.aborted; epoch++) {
    order.startEpoch(epoch - 1);
    let lossSum = 0;
    let seen = 0;
    let skippedSteps = 0;
    let begin = performance.now();
    for (let batch = 0; batch < order.batchCount && !signal?.aborted; batch++) {
      const count = loadBatch(model, train, order, batch);
      lossSum += count * model.computeGradients(count);
      if (optimizer.step().skipped) skippedSteps++;
      steps++;
      seen += count;
      clock.samples += count;
      const now = performance.now();
      if (now - begin < PROGRESS_MS && batch + 1 < order.batchCount) continue;
      clock.trainingMs += now - begin;
      const progress = { epoch, batch: batch + 1, batchCount: order.batchCount, loss: lossSum / seen };
      onProgress({ ...progress, samplesPerSecond: rate(), result: null });
      await new Promise((resolve) => setTimeout(resolve, 0));
      begin = performance.now();
    }
    if (signal?.aborted && seen < train.count) break;
    const evaluation = test ? evaluateClassifier(model, test) : null;
    const trainLoss = lossSum / seen;
    const result = {
      epoch,
      trainLoss,
      testLoss: evaluation?.loss ?? null,
      testAccuracy: evaluation?.accuracy ?? null,
      skippedSteps,
    };
    epochs.push(result);
    const progress = { epoch, batch: order.batchCount, batchCount: order.batchCount, loss: trainLoss };
    onProgress({ ...progress, samplesPerSecond: rate(), result });
  }
  return { epochs, steps, aborted: signal?.aborted ?? false, samplesPerSecond: rate() };
}

/** Mean loss (nats) and accuracy over a data set. */
export function evaluateClassifier(model: Model, data: Dataset): { loss: number; accuracy: number } {
  checkData(model, data);
  let correct = 0;
  let loss = 0;
  for (let from = 0; from < data.count; from += model.batchSize) {
    const count = Math.min(model.batchSize, data.count - from);
    const first = from * data.featureCount;
    model.input.set(data.features.subarray(first, first + count * data.featureCount));
    model.labels.set(data.labels.subarray(from, from + count));
    const batch = model.evaluate(count);
    correct += batch.correct;
    loss += count * batch.loss;
  }
  return { loss: loss / data.count, accuracy: correct / data.count };
}

/** Copies a batch into linear memory; returns its size. */
function loadBatch(model: Model, { features, labels, featureCount }: Dataset, order: BatchOrder, batch: number): number {
  const from = order.from(batch);
  const count = order.length(batch);
  gatherInto(features, featureCount, order.indices, from, count, model.input);
  gatherLabelsInto(labels, order.indices, from, count, model.labels);
  return count;
}
