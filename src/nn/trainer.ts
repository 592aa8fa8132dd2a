/** Training of a classifier: `fit` and `evaluate`, for data sets with classes. */
import type { Dataset } from '../data';
import { checkInteger, checkOptions } from '../validate';
import { evaluate } from './evaluation';
import { fit } from './fit';
import type { FitEpoch, FitOptimizer, FitProgress } from './fit-options';
import { checkData, type Model } from './model';

/** What a trainer needs of an optimizer. */
export type StepsParameters = FitOptimizer;

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

/** Milliseconds between two reports: a terminal is not read faster. */
const PROGRESS_MS = 50;

/**
 * Trains `model` with `optimizer`, which must hold the model's parameters.
 * @throws ArgumentError when data and model do not fit
 */
export async function trainClassifier(model: Model, optimizer: FitOptimizer, options: TrainOptions): Promise<TrainResult> {
  checkOptions('options', options, ['train', 'test', 'epochs', 'seed', 'onProgress', 'signal']);
  const { train, test, epochs, seed, signal, onProgress } = options;
  checkInteger('epochs', epochs, 1, 2 ** 31 - 1);
  checkData(model, train);
  if (test) checkData(model, test);
  const report = ({ epoch, batch, batchCount, loss, samplesPerSecond, result }: FitProgress) =>
    onProgress?.({ epoch, batch, batchCount: batchCount!, loss, samplesPerSecond, result: result && epochResult(result) });
  const run = await fit(model, train, {
    optimizer,
    epochs,
    seed,
    validation: test,
    signal,
    onProgress: report,
    budgetMs: PROGRESS_MS,
  });
  const { steps, samplesPerSecond } = run;
  return { epochs: run.epochs.map(epochResult), steps, aborted: signal?.aborted ?? false, samplesPerSecond };
}

function epochResult({ epoch, loss, validation, skippedSteps }: FitEpoch): EpochResult {
  return {
    epoch,
    trainLoss: loss,
    testLoss: validation?.loss ?? null,
    testAccuracy: validation?.accuracy ?? null,
    skippedSteps,
  };
}

/** Mean loss (nats) and accuracy over a data set. */
export function evaluateClassifier(model: Model, data: Dataset): { loss: number; accuracy: number } {
  checkData(model, data);
  const { loss, accuracy } = evaluate(model, data);
  return { loss, accuracy: accuracy! };
}
