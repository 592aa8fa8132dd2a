/**
 * Training: epochs over data, with validation, early stopping, checkpoints and cancellation.
 *
 * Invariant: what is learnt is a function of model, data, optimizer, schedule and seed. Pauses, slices, progress reports, threads, and
 * an interruption with a resumption in mid-epoch change no bit of it.
 */
import type { CheckpointExtras } from '../checkpoint/optimizer-checkpoint';
import type { CheckpointStore } from '../checkpoint/stores/store';
import type { StateDict } from '../optimizers/state-dict';
import { turn } from '../runtime/turn';
import type { LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, checkOptions, fail } from '../validate';
import { EarlyStopping, type EarlyStoppingOptions } from './early-stopping';
import { type Evaluation, evaluationOf } from './evaluation';
import type { Model } from './model';
import { type BatchSource, checkSamples, createSource, type Samples, type TrainingData } from './samples';
import { encodeLearnt, loadLearnt, loadRun, type RunState, saveRun } from './training-run';

/** What `fit` needs of an optimizer; all of the library's have it. */
export interface FitOptimizer {
  step(): { skipped: boolean };
  readonly paramGroups: readonly { lr: LearningRate }[];
  stateDict(): StateDict;
  loadStateDict(state: StateDict): void;
}

export interface CheckpointOptions {
  /** Where the checkpoint is kept. */
  store: CheckpointStore;
  /** Steps between saves, besides one after every epoch and one at the end: an integer ≥ 1. @default after every epoch only */
  every?: number;
  /** What the store shall hold in the end: the last state, from which a run resumes, or that of the best epoch. @default 'last' */
  keep?: 'last' | 'best';
  /** Your own data, kept in every checkpoint: `decodeCheckpoint(bytes).extras`. The keys `model` and `run` are taken. @default {} */
  extras?: CheckpointExtras;
}

export interface FitOptions {
  /** Holds the model's parameters. */
  optimizer: FitOptimizer;
  /** Passes over the data: an integer ≥ 1. */
  epochs: number;
  /** Of the order of samples: an integer in [0, 2^53). @default 0 */
  seed?: number;
  /** Evaluated after every epoch. */
  validation?: Samples;
  /** Learning rate by step (from 1), for all param groups; one with `update` is told every epoch's validation loss. */
  schedule?: LearningRate;
  earlyStopping?: EarlyStoppingOptions;
  /** Saves as it goes, and resumes from what the store holds. */
  checkpoint?: CheckpointOptions;
  /** Called at the end of every slice and epoch. */
  onProgress?: (progress: FitProgress) => void;
  /** Ends training after the batch under way; what was learnt stays, and is saved if there is a checkpoint. */
  signal?: AbortSignal;
  /** Milliseconds of work between two turns of the event loop, so that a page stays responsive. @default 8 */
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
  /** Of the lowest loss (on validation, if there is one); null without a complete epoch. */
  readonly bestEpoch: number | null;
  readonly samplesPerSecond: number;
}

const OPTION_NAMES = [
  'optimizer',
  'epochs',
  'seed',
  'validation',
  'schedule',
  'earlyStopping',
  'checkpoint',
  'onProgress',
  'signal',
  'budgetMs',
];

/**
 * Trains a model. Each epoch visits every sample once, in an order that seed and epoch determine; a short last batch counts by its
 * samples. Streams are taken in their own order.
 *
 * With a `checkpoint`, a run that the store holds goes on where it was saved, in mid-epoch too, and ends with the same bits as one
 * that was never interrupted.
 *
 * @throws ArgumentError for options or data that do not fit; nothing has been trained then
 * @throws CheckpointError when the store fails, or holds another run
 * @example
 * const optimizer = new AdamW(runtime, model.parameters, { lr: 1e-3 });
 * const { epochs } = await fit(model, train, { optimizer, epochs: 10, validation: test, earlyStopping: { patience: 3 } });
 */
export async function fit(model: Model, data: TrainingData, options: FitOptions): Promise<FitResult> {
  const run = new Run(model, data, options);
  await run.resume();
  return run.execute();
}

/** One call of `fit`. */
class Run {
  readonly #model: Model;
  readonly #options: FitOptions;
  readonly #source: BatchSource;
  readonly #stopping: EarlyStopping | null;
  readonly #budgetMs: number;
  readonly #identity: RunState['identity'];
  readonly #epochs: FitEpoch[] = [];
  #epoch = 1;
  #batch = 0;
  #step = 0;
  #lossSum = 0;
  #seen = 0;
  #skipped = 0;
  #best: { readonly epoch: number; readonly loss: number } | null = null;
  /** Model and optimizer as they were then: what a model evaluates with may be the optimizer's. */
  #bestState: RunState['bestState'] = null;
  #sliceStart = 0;
  #trainingMs = 0;
  #samples = 0;

  constructor(model: Model, data: TrainingData, options: FitOptions) {
    checkOptions('options', options, OPTION_NAMES);
    const { optimizer, epochs, seed = 0, validation, checkpoint, budgetMs = 8, earlyStopping, schedule } = options;
    if (typeof optimizer?.step !== 'function') fail('optimizer', 'an optimizer of the model’s parameters', optimizer);
    checkInteger('epochs', epochs, 1, 2 ** 31 - 1);
    checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
    checkNumber('budgetMs', budgetMs, '[0, ∞)', (value) => value >= 0);
    if (validation !== undefined) checkSamples('validation', model, validation);
    if (checkpoint !== undefined) checkCheckpoint(checkpoint);
    this.#model = model;
    this.#options = options;
    this.#source = createSource(model, data, seed);
    this.#stopping = earlyStopping === undefined ? null : new EarlyStopping(earlyStopping);
    this.#budgetMs = budgetMs;
    this.#identity = { seed, batchSize: model.batchSize, count: this.#source.count };
    if (schedule !== undefined) for (const group of optimizer.paramGroups) group.lr = schedule;
  }

  /** Takes over the run that the store holds, if it holds one. */
  async resume(): Promise<void> {
    const { checkpoint, optimizer, schedule } = this.#options;
    if (!checkpoint || checkpoint.keep === 'best') return;
    const state = await loadRun(checkpoint.store, this.#model, optimizer, this.#identity);
    if (!state) return;
    if (state.schedule !== null) (schedule as Partial<Stateful>)?.loadStateDict?.(state.schedule);
    if (this.#stopping && state.stopping) this.#stopping.state = state.stopping;
    this.#epochs.push(...state.epochs);
    ({ epoch: this.#epoch, batch: this.#batch, step: this.#step } = state);
    ({ lossSum: this.#lossSum, seen: this.#seen, skipped: this.#skipped } = state);
    this.#best = state.best;
    this.#bestState = state.bestState;
  }

  async execute(): Promise<FitResult> {
    const { epochs, signal } = this.#options;
    this.#sliceStart = performance.now();
    while (this.#epoch <= epochs && !signal?.aborted && !this.#stopping?.exhausted) {
      if (!(await this.#trainEpoch())) break;
      await this.#finishEpoch();
    }
    const reason = this.#stopping?.exhausted ? 'early-stopping' : signal?.aborted ? 'aborted' : 'complete';
    if (reason === 'aborted') await this.#save();
    if (reason !== 'aborted' && this.#stopping?.restoreBest) this.#restoreBest();
    return {
      epochs: this.#epochs,
      steps: this.#step,
      reason,
      bestEpoch: this.#best?.epoch ?? null,
      samplesPerSecond: this.#rate(),
    };
  }

  /** From the batch reached to the epoch's end; false when it was cut short. */
  async #trainEpoch(): Promise<boolean> {
    const { optimizer, signal, checkpoint } = this.#options;
    await this.#source.start(this.#epoch - 1, this.#batch);
    while (true) {
      const next = this.#source.next();
      const count = typeof next === 'number' ? next : await next;
      if (count === 0) return true;
      this.#lossSum += count * this.#model.computeGradients(count);
      if (optimizer.step().skipped) this.#skipped++;
      this.#seen += count;
      this.#samples += count;
      this.#batch++;
      this.#step++;
      if (checkpoint?.every && checkpoint.keep !== 'best' && this.#step % checkpoint.every === 0) await this.#save();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
      if (performance.now() - this.#sliceStart >= this.#budgetMs) await this.#pause();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
    }
  }

  /** Reports, and lets the event loop turn. */
  async #pause(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    this.#report(null);
    await turn();
    this.#sliceStart = performance.now();
  }

  async #finishEpoch(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    const epoch = this.#epoch;
    const validation = await this.#validate();
    const result = { epoch, loss: this.#lossSum / this.#seen, validation, skippedSteps: this.#skipped };
    this.#epochs.push(result);
    const watched = validation?.loss ?? result.loss;
    (this.#options.schedule as Partial<Stateful> | undefined)?.update?.(watched);
    const improved = this.#best === null || watched < this.#best.loss;
    if (improved && !Number.isNaN(watched)) this.#best = { epoch, loss: watched };
    if (this.#stopping?.observe(epoch, watched) && this.#stopping.restoreBest)
      this.#bestState = encodeLearnt(this.#model, this.#options.optimizer);
    this.#report(result);
    this.#epoch++;
    this.#batch = 0;
    this.#lossSum = 0;
    this.#seen = 0;
    this.#skipped = 0;
    if (this.#options.checkpoint?.keep !== 'best' || improved) await this.#save();
    this.#sliceStart = performance.now();
  }

  /** Evaluates in slices too. */
  async #validate(): Promise<Evaluation | null> {
    const { validation } = this.#options;
    if (!validation) return null;
    const batches = evaluationOf('validation', this.#model, validation);
    let start = performance.now();
    for (let step = batches.next(); ; step = batches.next()) {
      if (step.done) return step.value;
      if (performance.now() - start < this.#budgetMs) continue;
      await turn();
      start = performance.now();
    }
  }

  async #save(): Promise<void> {
    const { checkpoint, optimizer, schedule } = this.#options;
    if (!checkpoint) return;
    const state: RunState = {
      identity: this.#identity,
      schedule: (schedule as Partial<Stateful> | undefined)?.stateDict?.() ?? null,
      stopping: this.#stopping?.state ?? null,
      epochs: this.#epochs,
      epoch: this.#epoch,
      batch: this.#batch,
      step: this.#step,
      lossSum: this.#lossSum,
      seen: this.#seen,
      skipped: this.#skipped,
      best: this.#best,
      bestState: this.#bestState,
    };
    await saveRun(checkpoint.store, this.#model, optimizer, state, checkpoint.extras);
  }

  #restoreBest(): void {
    if (!this.#bestState) return;
    loadLearnt(this.#bestState, this.#model, this.#options.optimizer);
  }

  #report(result: FitEpoch | null): void {
    const { epochs, onProgress } = this.#options;
    onProgress?.({
      epoch: this.#epoch,
      epochs,
      batch: this.#batch,
      batchCount: this.#source.batchCount,
      step: this.#step,
      loss: this.#lossSum / this.#seen,
      samplesPerSecond: this.#rate(),
      result,
    });
  }

  #rate(): number {
    return this.#trainingMs > 0 ? (1000 * this.#samples) / this.#trainingMs : 0;
  }
}

/** A schedule with state: see src/schedules/schedule.ts. */
interface Stateful {
  update(metric: number): unknown;
  stateDict(): unknown;
  loadStateDict(state: unknown): void;
}

function checkCheckpoint(options: CheckpointOptions): void {
  checkOptions('checkpoint', options, ['store', 'every', 'keep', 'extras']);
  const { store, every, keep = 'last', extras = {} } = options;
  if (typeof store?.load !== 'function' || typeof store?.save !== 'function')
    fail('checkpoint.store', 'a checkpoint store', store);
  if (every !== undefined) checkInteger('checkpoint.every', every, 1, Number.MAX_SAFE_INTEGER);
  checkChoice('checkpoint.keep', keep, ['last', 'best']);
  if (typeof extras !== 'object' || extras === null) fail('checkpoint.extras', 'an object', extras);
  for (const taken of ['model', 'run']) {
    if (Object.hasOwn(extras, taken)) fail(`checkpoint.extras.${taken}`, 'another key: this one is taken', extras[taken]);
  }
}
