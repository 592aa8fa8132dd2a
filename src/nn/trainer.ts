/**
 * Training of a classifier, epoch by epoch.
 *
 * Invariant: a run is a pure function of model, data, optimizer and seed; progress reports, pauses and threads do not change it.
 */
import { BatchOrder, type Dataset, gatherInto, gatherLabelsInto } from '../data';
import { checkInteger, checkOptions, fail } from '../validate';
import { checkData, type Model } from './model';

/** What a trainer needs of an optimizer. */
export interface StepsParameters {
  step(): { skipped: boolean };
}

export interface TrainOptions {
  train: Dataset;
  /** Evaluated after every epoch. */
  test?: Dataset;
  /** Of the whole run, those before `from` included. */
  epochs: number;
  /** Of the order of samples. @default 0 */
  seed?: number;
  /**
   * Goes on from here: the run then equals one that never stopped, bit for bit, if data, seed and batch size are the same and the
   * optimizer has loaded the state it had here.
   * @default the beginning
   */
  from?: TrainPosition;
  /** Called between batches, now and then, and after every epoch; a promise is waited for. */
  onProgress?: (progress: TrainProgress) => void | Promise<void>;
  /** Ends training after the batch under way; what was learnt stays. */
  signal?: AbortSignal;
}

/** How far a run is: plain data. */
export interface TrainPosition {
  /** Complete epochs. */
  readonly epochs: readonly EpochResult[];
  /** Batches done in the epoch after them. */
  readonly batch: number;
  /** Σ of examples × mean loss over those batches, nats. */
  readonly lossSum: number;
  /** Steps that were refused among those batches. */
  readonly skippedSteps: number;
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
  /** Where a run that stopped now would go on: see `TrainOptions.from`. */
  readonly position: TrainPosition;
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
  /** Of the whole run, those before `from` included. */
  readonly steps: number;
  /** Whether `signal` ended it early. */
  readonly aborted: boolean;
  readonly samplesPerSecond: number;
  /** Where it stopped. */
  readonly position: TrainPosition;
}

/** How often progress is reported and the event loop turns, milliseconds. */
const PROGRESS_MS = 50;

const START: TrainPosition = { epochs: [], batch: 0, lossSum: 0, skippedSteps: 0 };

/** What stays the same all through a run. */
interface Run {
  readonly model: Model;
  readonly optimizer: StepsParameters;
  readonly train: Dataset;
  readonly order: BatchOrder;
  readonly clock: { trainingMs: number; samples: number };
  readonly signal: AbortSignal | undefined;
  readonly report: (position: TrainPosition, loss: number, result: EpochResult | null) => void | Promise<void>;
}

/**
 * Trains `model` with `optimizer`, which must hold the model's parameters.
 * @throws ArgumentError when data and model do not fit, or `from` is no position of such a run
 */
export async function trainClassifier(model: Model, optimizer: StepsParameters, options: TrainOptions): Promise<TrainResult> {
  checkOptions('options', options, ['train', 'test', 'epochs', 'seed', 'from', 'onProgress', 'signal']);
  const { train, test, seed = 0, from = START, signal, onProgress = () => {} } = options;
  checkInteger('epochs', options.epochs, 1, 2 ** 31 - 1);
  checkData(model, train);
  if (test) checkData(model, test);
  const order = new BatchOrder(train.count, model.batchSize, seed);
  let position = checkPosition(from, options.epochs, order.batchCount);
  const clock = { trainingMs: 0, samples: 0 };
  const rate = () => (clock.trainingMs > 0 ? (1000 * clock.samples) / clock.trainingMs : 0);
  const { batchCount } = order;
  const report: Run['report'] = (at, loss, result) => {
    const [epoch, batch] = result ? [result.epoch, batchCount] : [at.epochs.length + 1, at.batch];
    return onProgress({ epoch, batch, batchCount, loss, samplesPerSecond: rate(), result, position: at });
  };
  while (position.epochs.length < options.epochs && !signal?.aborted) {
    position = await trainEpoch({ model, optimizer, train, order, clock, signal, report }, position);
    if (position.batch < batchCount) break;
    const result = completeEpoch(position, train, test ? evaluateClassifier(model, test) : null);
    position = { ...START, epochs: [...position.epochs, result] };
    await report(position, result.trainLoss, result);
  }
  const { epochs, batch } = position;
  const steps = epochs.length * batchCount + batch;
  return { epochs, steps, aborted: signal?.aborted ?? false, samplesPerSecond: rate(), position };
}

/** Trains to the end of the epoch, or until the signal. */
async function trainEpoch(run: Run, { epochs, ...start }: TrainPosition): Promise<TrainPosition> {
  const { model, optimizer, train, order, clock, signal, report } = run;
  let { batch, lossSum, skippedSteps } = start;
  order.startEpoch(epochs.length);
  let begin = performance.now();
  while (batch < order.batchCount && !signal?.aborted) {
    const count = loadBatch(model, train, order, batch);
    lossSum += count * model.computeGradients(count);
    if (optimizer.step().skipped) skippedSteps++;
    batch++;
    clock.samples += count;
    const now = performance.now();
    if (now - begin < PROGRESS_MS && batch < order.batchCount) continue;
    clock.trainingMs += now - begin;
    const seen = Math.min(batch * order.batchSize, train.count);
    await report({ epochs, batch, lossSum, skippedSteps }, lossSum / seen, null);
    await new Promise((resolve) => setTimeout(resolve, 0));
    begin = performance.now();
  }
  return { epochs, batch, lossSum, skippedSteps };
}

function completeEpoch(
  { epochs, lossSum, skippedSteps }: TrainPosition,
  { count }: Dataset,
  evaluation: { loss: number; accuracy: number } | null,
): EpochResult {
  return {
    epoch: epochs.length + 1,
    trainLoss: lossSum / count,
    testLoss: evaluation?.loss ?? null,
    testAccuracy: evaluation?.accuracy ?? null,
    skippedSteps,
  };
}

function checkPosition(from: TrainPosition, epochs: number, batchCount: number): TrainPosition {
  checkOptions('from', from, Object.keys(START));
  const complete = Array.isArray(from.epochs) ? from.epochs.length : fail('from.epochs', 'an array of results', from.epochs);
  if (complete > epochs) fail('from.epochs', `at most ${epochs} results, as many as epochs`, from.epochs);
  checkInteger('from.batch', from.batch, 0, batchCount - 1);
  checkInteger('from.skippedSteps', from.skippedSteps, 0, from.batch);
  if (typeof from.lossSum !== 'number') fail('from.lossSum', 'a number', from.lossSum);
  return from;
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
