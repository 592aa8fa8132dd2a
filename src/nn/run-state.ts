/** The state of a run of `fit`, and a run's first state. */
import type { LastBatch } from './batch-source';
import type { EarlyStoppingState } from './early-stopping';
import type { FitEpoch } from './fit-options';
import type { ModelIdentity } from './model-identity';
import type { DataNames } from './training-history';

/**
 * The settings that a resumed run must share with the stored one, so that batches stay the same.
 */
export interface RunIdentity extends DataNames {
  readonly seed: number;
  readonly batchSize: number;
  /** Samples per epoch; null for a stream. */
  readonly count: number | null;
  /** Epochs of the sample order that came before the run's first epoch. */
  readonly initialEpoch?: number;
  /** Absent for 'keep'. */
  readonly lastBatch?: LastBatch;
  /**
   * 'kept' for `shuffle: false`, 'given' for an order of the caller's own; absent for the seed's.
   */
  readonly order?: 'kept' | 'given';
  /** Batches per epoch of a stream that goes on over epochs; absent for others. */
  readonly stepsPerEpoch?: number;
  /** Present if samples in memory have weights. */
  readonly sampleWeights?: boolean;
  /** Names of the training metrics, with commas between them; absent without any. */
  readonly metrics?: string;
  /** Figure by which epochs are judged; absent for the loss. */
  readonly monitor?: string;
  /** What the model computes; absent in files of earlier releases. */
  readonly model?: ModelIdentity;
}

/** How far a run is, and the states that only this run can restore. */
export interface RunState {
  /** State of the gradient accumulator; null without one. */
  readonly window: unknown;
  readonly identity: RunIdentity;
  /** State of the learning rate schedule; null if it has none. */
  readonly schedule: unknown;
  stopping: EarlyStoppingState;
  /** Results of the complete epochs. */
  readonly epochs: FitEpoch[];
  /** Current epoch, from 1. */
  epoch: number;
  /** Completed batches of the current epoch. */
  batch: number;
  /** Optimizer steps of the whole run, refused ones included. */
  step: number;
  /**
   * Weighted sum of the current epoch's batch losses; of their penalties alone if there are
   * `outputSums`.
   */
  lossSum: number;
  /**
   * Sum of their weights: the number of samples, unless class weights are averaged over their sum.
   */
  seen: number;
  /** Steps of the current epoch that the optimizer refused. */
  skipped: number;
  /**
   * Of several losses: the weighted sum of each one's batch losses in the current epoch, followed
   * by the sum of its weights.
   */
  outputSums?: number[];
  /** Sums of the current epoch's training metrics, if there are any. */
  metricSums?: number[];
  /** Model, optimizer and average after the best epoch, as `encodeLearner` returned them. */
  bestState: Uint8Array | null;
}

/** Returns the state of a run that has not begun. */
export function firstRunState(identity: RunIdentity): RunState {
  return {
    window: null,
    identity,
    schedule: null,
    stopping: { best: null, bestEpoch: 0, waited: 0 },
    epochs: [],
    epoch: 1,
    batch: 0,
    step: 0,
    lossSum: 0,
    seen: 0,
    skipped: 0,
    bestState: null,
  };
}

/** Returns the loss by which schedules, and early stopping by default, judge an epoch. */
export function watchedLoss({ loss, validation }: FitEpoch): number {
  return validation?.loss ?? loss;
}
