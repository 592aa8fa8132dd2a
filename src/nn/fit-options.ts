/**
 * What `fit` is asked for and what it tells: options, checked before anything is trained, progress
 * and result.
 */
import type { CheckpointExtras } from '../checkpoint/optimizer-checkpoint';
import type { CheckpointStore } from '../checkpoint/stores/store';
import type { StateDict } from '../optimizers/state-dict';
import type { AbortSignalLike, LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, checkOptions, fail } from '../validate';
import type { LastBatch } from './batch-source';
import { EarlyStopping, type EarlyStoppingOptions } from './early-stopping';
import type { EvaluateOptions, Evaluation } from './evaluation';
import type { Samples } from './samples';

/** What `fit` needs of an optimizer; all of the library's have it. */
export interface FitOptimizer {
  step(): { skipped: boolean };
  readonly paramGroups: readonly { lr: LearningRate; readonly frozen?: boolean }[];
  stateDict(): StateDict;
  loadStateDict(state: StateDict): void;
  /** @internal */
  readonly slots?: readonly {
    readonly name: string;
    readonly group: number;
    readonly parameter: object;
  }[];
}

/** What `fit` needs of a `GradientAccumulator` of `adal-wasm/gradients`. */
export interface FitAccumulator {
  readonly optimizer?: object;
  add(gradients?: undefined, weight?: number): { skipped: boolean } | null;
  flush(): { skipped: boolean } | null;
  stateDict(): unknown;
  loadStateDict(state: never): void;
}

/** What `fit` needs of an `ExponentialMovingAverage` of `adal-wasm/gradients`. */
export interface FitAverage {
  update(): void;
  stateDict(): unknown;
  loadStateDict(state: never): void;
  /** @internal */
  readonly averaged?: readonly { readonly parameter: object }[];
  /** @internal */
  prepareLoad?(state: never): () => void;
}

export interface CheckpointOptions {
  /** Where the checkpoint is kept. */
  store: CheckpointStore;
  /**
   * Steps between saves, besides one after every epoch and one at the end: an integer ≥ 1.
   * @default after every epoch only
   */
  every?: number;
  /**
   * What the store shall hold in the end: the last state, from which a run resumes, or that of the
   * best epoch, which is `bestEpoch` of the result. @default 'last'
   */
  keep?: 'last' | 'best';
  /**
   * Your own data, kept in every checkpoint: `decodeCheckpoint(bytes).extras`. The keys `model`,
   * `average` and `run` are taken.
   * @default {}
   */
  extras?: CheckpointExtras;
}

export interface FitOptions {
  /** Holds the model's parameters. */
  optimizer: FitOptimizer;
  /** Passes over the data: an integer ≥ 1. */
  epochs: number;
  /** Of the order of samples: an integer in [0, 2^53). @default 0 */
  seed?: number;
  /**
   * Epochs of the order of samples that count as done, so that the first epoch of this call has the
   * order of the next one: an integer in [0, 2^31). A run that is resumed keeps its own. @default
   * the complete epochs for which `fit` has trained this model with this seed; 0 for a new model
   */
  initialEpoch?: number;
  /**
   * What becomes of an epoch's last batch when it is shorter than the model's batch size. 'keep':
   * it is trained on as it is, and counts in the epoch's loss by its samples. 'drop': it is left
   * out; with samples in memory, those left out are others every epoch. 'merge': it and the batch
   * before are made into two of equal size, or nearly.
   * @default 'keep'
   */
  lastBatch?: LastBatch;
  /** Evaluated after every epoch. */
  validation?: Samples;
  /** What validation counts besides loss and accuracy. */
  metrics?: EvaluateOptions;
  /**
   * A GradientAccumulator of the same optimizer: it is given every batch, and steps when its window
   * is complete and at the end of an epoch, so that no window spans two. Batches count in the mean
   * of their window by their samples (by the sum of their class weights under 'weighted-mean'), so
   * that 10 batches of 4 make the step of one batch of 40.
   */
  accumulator?: FitAccumulator;
  /**
   * An ExponentialMovingAverage of the parameters, updated after every accepted step. After
   * `average.apply()` validation is of it.
   */
  average?: FitAverage;
  /**
   * Learning rate by step (from 1), for all param groups; one with `update` is told every epoch's
   * validation loss.
   */
  schedule?: LearningRate;
  earlyStopping?: EarlyStoppingOptions;
  /** Saves as it goes, and resumes from what the store holds. */
  checkpoint?: CheckpointOptions;
  /** Called at the end of every slice and epoch. */
  onProgress?: (progress: FitProgress) => void;
  /**
   * Ends training after the batch under way; what was learnt stays, and is saved if there is a
   * checkpoint.
   */
  signal?: AbortSignalLike;
  /**
   * Milliseconds of work between two turns of the event loop, so that a page stays responsive.
   * @default 8
   */
  budgetMs?: number;
}

export interface FitProgress {
  /** 1-based. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  /** Null for streams. */
  readonly batchCount: number | null;
  /** Optimizer steps of the run, those before a resumption included. */
  readonly step: number;
  /** Mean loss of this epoch's batches so far. */
  readonly loss: number;
  /** Since this call began, evaluation apart. */
  readonly samplesPerSecond: number;
  /** The epoch's figures once it is complete. */
  readonly result: FitEpoch | null;
}

/** One complete epoch. */
export interface FitEpoch {
  readonly epoch: number;
  /** Mean loss over the epoch's batches as they were trained on. */
  readonly loss: number;
  readonly validation: Evaluation | null;
  /** Steps that the optimizer refused. */
  readonly skippedSteps: number;
}

export interface FitResult {
  readonly epochs: readonly FitEpoch[];
  readonly steps: number;
  /** Why training ended. */
  readonly reason: 'complete' | 'aborted' | 'early-stopping';
  /**
   * The last epoch whose loss (on validation, if there is one) was lower than that of the best
   * epoch before, by more than `earlyStopping.minDelta`; null if no complete epoch had a loss that
   * is a number.
   */
  readonly bestEpoch: number | null;
  readonly samplesPerSecond: number;
}

const OPTION_NAMES = [
  'optimizer',
  'epochs',
  'seed',
  'initialEpoch',
  'lastBatch',
  'validation',
  'metrics',
  'accumulator',
  'average',
  'schedule',
  'earlyStopping',
  'checkpoint',
  'onProgress',
  'signal',
  'budgetMs',
];

/**
 * The options, read once and then checked: what a caller's object says later changes nothing.
 * @throws ArgumentError for options out of range
 */
export function copyFitOptions(options: FitOptions): FitOptions {
  if (typeof options !== 'object' || options === null)
    fail('options', 'an options object', options);
  const copy = { ...options };
  for (const name of ['metrics', 'earlyStopping', 'checkpoint'] as const) {
    const value: unknown = copy[name];
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      copy[name] = { ...value } as never;
  }
  checkFitOptions(copy);
  return copy;
}

/**
 * Checks all that does not depend on model and data. @throws ArgumentError for options out of range
 */
export function checkFitOptions(options: FitOptions): void {
  checkOptions('options', options, OPTION_NAMES);
  const {
    optimizer,
    epochs,
    seed = 0,
    budgetMs = 8,
    checkpoint,
    earlyStopping,
    accumulator,
    average,
  } = options;
  const { initialEpoch = 0, signal, onProgress, lastBatch = 'keep' } = options;
  checkChoice('lastBatch', lastBatch, ['keep', 'drop', 'merge']);
  if (typeof optimizer?.step !== 'function')
    fail('optimizer', 'an optimizer of the model’s parameters', optimizer);
  checkInteger('epochs', epochs, 1, 2 ** 31 - 1);
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('initialEpoch', initialEpoch, 0, 2 ** 31 - 1);
  if (
    signal !== undefined &&
    (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')
  ) {
    fail('signal', 'an AbortSignal', signal);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function')
    fail('onProgress', 'a function', onProgress);
  checkNumber('budgetMs', budgetMs, '[0, ∞)', (value) => value >= 0);
  if (checkpoint !== undefined) checkCheckpoint(checkpoint);
  if (earlyStopping !== undefined) new EarlyStopping(earlyStopping);
  if (accumulator !== undefined && typeof accumulator?.flush !== 'function') {
    fail('accumulator', 'a GradientAccumulator', accumulator);
  }
  if (average !== undefined && typeof average?.update !== 'function')
    fail('average', 'an ExponentialMovingAverage', average);
}

/** @param known the options that are allowed */
export function checkCheckpoint(
  options: CheckpointOptions,
  known = ['store', 'every', 'keep', 'extras'],
): void {
  checkOptions('checkpoint', options, known);
  const { store, every, keep = 'last', extras = {} } = options;
  if (typeof store?.load !== 'function' || typeof store?.save !== 'function')
    fail('checkpoint.store', 'a checkpoint store', store);
  if (every !== undefined) checkInteger('checkpoint.every', every, 1, Number.MAX_SAFE_INTEGER);
  checkChoice('checkpoint.keep', keep, ['last', 'best']);
  if (typeof extras !== 'object' || extras === null) fail('checkpoint.extras', 'an object', extras);
  for (const taken of ['model', 'average', 'run']) {
    if (Object.hasOwn(extras, taken))
      fail(`checkpoint.extras.${taken}`, 'another key: this one is taken', extras[taken]);
  }
}
