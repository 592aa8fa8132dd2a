/** Options, progress and result of `fit`. The options are checked before anything is trained. */
import type { CheckpointExtras } from '../checkpoint/optimizer-checkpoint';
import type { CheckpointStore } from '../checkpoint/stores/store';
import type { StateDict } from '../optimizers/state-dict';
import type { AbortSignalLike, LearningRate } from '../types';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  fail,
} from '../validate';
import type { LastBatch } from './batch-source';
import { EarlyStopping, type EarlyStoppingOptions } from './early-stopping';
import type { EvaluateOptions, Evaluation } from './evaluation';
import type { MetricName, Metrics } from './metrics';
import type { TrainingData } from './samples';

/** The interface that `fit` needs of an optimizer. All optimizers of the library have it. */
export interface FitOptimizer {
  step(): { skipped: boolean };
  readonly paramGroups: readonly { lr: LearningRate; readonly frozen?: boolean }[];
  stateDict(): StateDict;
  loadStateDict(state: StateDict): void;
  /** @internal */
  readonly registered?: readonly {
    readonly name: string;
    readonly group: number;
    readonly parameter: object;
  }[];
}

/** The interface that `fit` needs of a `GradientAccumulator` (`adal-wasm/accumulation`). */
export interface FitAccumulator {
  readonly optimizer?: object;
  add(gradients?: undefined, weight?: number): { skipped: boolean } | null;
  flush(): { skipped: boolean } | null;
  stateDict(): unknown;
  loadStateDict(state: unknown): void;
  /** @internal */
  prepareLoad?(state: unknown, path: string): () => void;
}

/** The interface that `fit` needs of an `ExponentialMovingAverage` (`adal-wasm/averaging`). */
export interface FitAverage {
  update(): void;
  stateDict(): unknown;
  loadStateDict(state: unknown): void;
  /** @internal */
  readonly averaged?: readonly { readonly parameter: object }[];
  /** @internal */
  prepareLoad?(state: unknown, path: string): () => void;
}

/** Where and how often `fit` saves a run. */
export interface CheckpointOptions {
  /** Store that keeps the checkpoint. */
  store: CheckpointStore;
  /**
   * Number of steps between saves within an epoch: an integer ≥ 1. `fit` also saves after every
   * epoch and when it is aborted.
   * @default after every epoch only
   */
  every?: number;
  /**
   * Which state the store keeps: 'last', from which a run resumes, or 'best', that of the epoch
   * which the result calls `bestEpoch`. With 'best' the run does not resume.
   * @default 'last'
   */
  keep?: 'last' | 'best';
  /**
   * Data of your own, saved in every checkpoint and read from `decodeCheckpoint(bytes).extras`. The
   * keys `model`, `average` and `run` are reserved.
   * @default {}
   */
  extras?: CheckpointExtras;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Optimizer of the model's parameters: of all of them, and of no others that it trains. */
  optimizer: FitOptimizer;
  /** Number of passes over the data: an integer in [1, 2^31). */
  epochs: number;
  /**
   * Seed of the sample order: an integer in [0, 2^53).
   * @default 0
   */
  seed?: number;
  /**
   * Number of epochs of the sample order to pass over, so that the first epoch of this call has the
   * order of epoch `initialEpoch` (from 0): an integer in [0, 2^31). It does not shorten the run:
   * as many epochs are trained as `epochs` says (Keras's `initial_epoch` does
   * shorten it). A resumed run keeps its stored value.
   * @default the number of complete epochs for which `fit` has trained this model with this seed
   */
  initialEpoch?: number;
  /**
   * How to treat an epoch's last batch if it is shorter than the model's batch size. 'keep' trains
   * on it as it is; the epoch's loss weights it by its samples. 'drop' leaves it out; with samples
   * in memory, other samples are left out every epoch. 'merge' distributes it and the batch before
   * over two batches of (nearly) equal size.
   * @default 'keep'
   */
  lastBatch?: LastBatch;
  /**
   * Whether every epoch visits samples in memory in another random order. If false, every epoch
   * visits them in their own order. Streams always have their own order.
   * @default true
   */
  shuffle?: boolean;
  /**
   * Order of your own, for samples in memory: returns the indices of an epoch (from 0, of the
   * sample order, as `initialEpoch` counts them), as many as there are samples; an index may occur
   * twice or not at all. A resumed run asks for the order of its epoch again, which must be the
   * same.
   * @default the seed's
   */
  order?: (epoch: number) => Uint32Array;
  /**
   * Number of batches per epoch for a stream that goes on over epochs, such as an endless one: an
   * integer in [1, 2^31). `fit` opens the stream once, reads on where the epoch before ended, and
   * opens it again whenever it ends. A resumed run reads past the batches that it has trained on.
   * @default an epoch is one stream
   */
  stepsPerEpoch?: number;
  /**
   * Samples to evaluate after every epoch, or a function that opens a stream of them. The model's
   * batch size has no effect on the result.
   */
  validation?: TrainingData;
  /**
   * Share of the data to hold out for validation, in (0, 1): of n samples in memory the last
   * n - ⌊n·(1 - share)⌋, before any are shuffled, as in Keras. Shuffle data that are sorted
   * yourself first, or split them with `trainTestSplit`.
   * @default none
   */
  validationSplit?: number;
  /**
   * Names of metrics, computed over the training batches (each under the weights of its time, as in
   * Keras, and with dropout) and by the validation; or options of the validation, among them
   * `metrics`. 'auc' is for the validation alone.
   */
  metrics?: readonly MetricName[] | EvaluateOptions;
  /**
   * GradientAccumulator of the same optimizer. It receives every batch, and steps when its window
   * is complete and at the end of an epoch, so that no window spans two epochs. Each batch is
   * weighted by its samples (by the sum of their class weights under 'weighted-mean'), so that 10
   * batches of 4 make the same step as one batch of 40. A model with several losses weights it by
   * its samples alone.
   * @default every batch is a step
   */
  accumulator?: FitAccumulator;
  /**
   * ExponentialMovingAverage of the parameters. `fit` updates it after every accepted step. If you
   * have called `average.apply()`, validation evaluates the average.
   * @default no average
   */
  average?: FitAverage;
  /**
   * Learning rate of all param groups: a number, or a function of the step (from 1). After every
   * epoch, `fit` passes the validation loss (the training loss without validation) to the
   * schedule's `update` if it has one, as `reduceOnPlateau` does.
   * @default the learning rates of the param groups
   */
  schedule?: LearningRate;
  /**
   * Ends training when the loss, or another figure, stops improving.
   * @default train all epochs
   */
  earlyStopping?: EarlyStoppingOptions;
  /**
   * Saves the run as it goes, and resumes the run that the store holds.
   * @default no checkpoint
   */
  checkpoint?: CheckpointOptions;
  /**
   * Called at the end of every time slice and epoch. If it calls `stop`, training ends after this
   * batch or epoch (Keras's `stop_training`): the model keeps its present weights, the run is saved
   * if there is a `checkpoint`, from which it can go on, and the result has the reason 'stopped'.
   */
  onProgress?: (progress: FitProgress, stop: () => void) => void;
  /** Called after every batch, with the same `stop`. */
  onBatch?: (report: FitBatch, stop: () => void) => void;
  /**
   * Ends training after the current batch. The model keeps its present weights, and the run is
   * saved if there is a `checkpoint`.
   */
  signal?: AbortSignalLike;
  /**
   * Length of a time slice, milliseconds in [0, ∞): after so much work `fit` yields to the event
   * loop, so that a page stays responsive.
   * @default 8
   */
  budgetMs?: number;
}

/** Progress of a run, as `onProgress` receives it. */
export interface FitProgress {
  /** Current epoch, from 1. */
  readonly epoch: number;
  /** Number of epochs that the run was asked for. */
  readonly epochs: number;
  /** Number of completed batches in this epoch. */
  readonly batch: number;
  /** Number of batches in an epoch; null for streams without `stepsPerEpoch`. */
  readonly batchCount: number | null;
  /** Number of optimizer steps of the run, including those before a resumption. */
  readonly step: number;
  /** Mean training loss of this epoch so far. */
  readonly loss: number;
  /** Training metrics of this epoch so far; absent without the option `metrics`. */
  readonly metrics?: Metrics;
  /** Training speed since this call began, without the time for evaluation. */
  readonly samplesPerSecond: number;
  /** Result of the epoch once it is complete; null before. */
  readonly result: FitEpoch | null;
}

/** Report of one batch, as `onBatch` receives it. */
export interface FitBatch {
  /** Current epoch, from 1. */
  readonly epoch: number;
  /** Number of completed batches in this epoch, this one included. */
  readonly batch: number;
  /** Number of batches in an epoch; null for streams without `stepsPerEpoch`. */
  readonly batchCount: number | null;
  /** Number of optimizer steps of the run. */
  readonly step: number;
  /** Number of samples in the batch. */
  readonly samples: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  /** Whether an optimizer step followed the batch: false within an accumulator's window. */
  readonly stepped: boolean;
}

/** Result of one complete epoch. */
export interface FitEpoch {
  /** Epoch, from 1. */
  readonly epoch: number;
  /**
   * Mean training loss: each batch's loss before the step that it led to. Of several losses, each
   * has its mean over what it counts, as in `evaluate`.
   */
  readonly loss: number;
  /** Metrics over the training batches; absent without the option `metrics`. */
  readonly metrics?: Metrics;
  /** Evaluation of the validation samples; null without validation. */
  readonly validation: Evaluation | null;
  /**
   * Number of steps that the optimizer refused because of non-finite gradients, under `onNonFinite:
   * 'skip'`. Their batches still count in `loss`, which such a batch usually makes NaN.
   */
  readonly skippedSteps: number;
}

/** Result of a run. */
export interface FitResult {
  /** Results of all complete epochs, including those before a resumption. */
  readonly epochs: readonly FitEpoch[];
  /** Number of optimizer steps, including refused ones and those before a resumption. */
  readonly steps: number;
  /** Reason why training ended. */
  readonly reason: 'complete' | 'aborted' | 'stopped' | 'early-stopping';
  /**
   * Last epoch whose loss (the validation loss, if there is validation; or what
   * `earlyStopping.monitor` names) was better than that of the best epoch before it by more than
   * `earlyStopping.minDelta`; null if no epoch had a loss other than NaN.
   */
  readonly bestEpoch: number | null;
  /** Training speed of this call, without the time for evaluation. */
  readonly samplesPerSecond: number;
}

const OPTION_NAMES = [
  'optimizer',
  'epochs',
  'seed',
  'initialEpoch',
  'lastBatch',
  'shuffle',
  'order',
  'stepsPerEpoch',
  'validation',
  'validationSplit',
  'metrics',
  'accumulator',
  'average',
  'schedule',
  'earlyStopping',
  'checkpoint',
  'onProgress',
  'onBatch',
  'signal',
  'budgetMs',
];

/**
 * Copies and checks the options, so that later changes of the caller's object have no effect.
 * @throws ArgumentError for options out of range
 */
export function copyFitOptions(options: FitOptions): FitOptions {
  if (typeof options !== 'object' || options === null)
    fail('options', 'an options object', options);
  const copy = { ...options };
  if (Array.isArray(copy.metrics)) copy.metrics = { metrics: [...copy.metrics] };
  for (const name of ['metrics', 'earlyStopping', 'checkpoint'] as const) {
    const value: unknown = copy[name];
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      copy[name] = { ...value } as never;
  }
  checkFitOptions(copy);
  return copy;
}

/**
 * Checks everything that does not depend on model and data.
 * @throws ArgumentError for options out of range
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
  const { initialEpoch = 0, signal, lastBatch = 'keep' } = options;
  const { shuffle = true, order, stepsPerEpoch = 1, validation, validationSplit } = options;
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
  for (const name of ['onProgress', 'onBatch', 'order'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      fail(name, 'a function', options[name]);
  checkBoolean('shuffle', shuffle);
  if (order !== undefined && options.shuffle !== undefined)
    fail('shuffle', 'nothing beside order', options.shuffle);
  checkInteger('stepsPerEpoch', stepsPerEpoch, 1, 2 ** 31 - 1);
  if (validationSplit !== undefined) {
    checkNumber('validationSplit', validationSplit, '(0, 1)', (share) => share > 0 && share < 1);
    if (validation !== undefined) fail('validation', 'nothing beside validationSplit', validation);
  }
  checkNumber('budgetMs', budgetMs, '[0, ∞)', (value) => value >= 0);
  if (checkpoint !== undefined) checkCheckpoint(checkpoint);
  if (earlyStopping !== undefined) new EarlyStopping(earlyStopping);
  if (accumulator !== undefined && typeof accumulator?.flush !== 'function') {
    fail('accumulator', 'a GradientAccumulator', accumulator);
  }
  if (average !== undefined && typeof average?.update !== 'function')
    fail('average', 'an ExponentialMovingAverage', average);
}

/** @param known names of the options that are allowed */
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
      fail(`checkpoint.extras.${taken}`, 'another key: fit uses this one', extras[taken]);
  }
}
