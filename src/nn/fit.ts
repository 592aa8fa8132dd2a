/**
 * `fit`: trains a model for epochs over data, with validation, early stopping, checkpoints and
 * cancellation.
 *
 * Invariant: the weights that a run ends with depend only on the model, the data, the optimizer,
 * the schedule and the seed. Pauses, time slices, progress reports, threads, and an interruption
 * that is resumed in mid-epoch change no bit of them.
 */
import { ArgumentError, CheckpointError, NonFiniteGradientError } from '../errors';
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import type { LearningRate } from '../types';
import { checkModel, fail } from '../validate';
import { type BatchSource, createSource } from './batch-source';
import { EarlyStopping } from './early-stopping';
import {
  checkEvaluateOptions,
  type EvaluateOptions,
  type Evaluation,
  evaluateChunks,
  evaluationOf,
  meanOf,
  readEvaluation,
} from './evaluation';
import { copyFitOptions, type FitEpoch, type FitOptions, type FitResult } from './fit-options';
import type { Occupation } from './learnt-state';
import { checkMetricNames, MetricTally } from './metrics';
import type { Model } from './model';
import { checkMonitor, figureOf } from './monitor';
import { checkOwnership } from './ownership';
import type { Learner } from './run-checkpoint';
import { firstRunState, type RunIdentity, type RunState, watchedLoss } from './run-state';
import { splitLast, type TrainingData } from './samples';

/**
 * Trains a model. Each epoch visits every sample once, in an order that depends on the seed and the
 * epoch; the epoch's loss weights a short last batch by its samples. Streams are read in their own
 * order, and closed if the run ends before they do.
 *
 * The model counts how many epochs it has been trained with each seed, and a later call with the
 * same seed continues with the order of the next epoch: three calls for one epoch visit the samples
 * as one call for three epochs does. The option `initialEpoch` sets where the order begins.
 *
 * With a `checkpoint`, `fit` resumes the run that the store holds, even in the middle of an epoch,
 * and ends with the same bits as a run that was never interrupted. A checkpoint that does not fit
 * changes nothing: neither model, optimizer, average, accumulator nor schedule.
 *
 * @param data samples in memory, or a function that opens a stream of chunks
 * @returns the results of all epochs, and the reason why training ended
 * @throws ArgumentError for options or data that do not fit; nothing has been trained then, unless
 * a later chunk of a stream does not fit, or a stream has no samples in a later epoch
 * @throws CheckpointError if the store fails or holds another run; nothing has been trained then,
 * unless saving failed
 * @throws NonFiniteGradientError if the optimizer refuses a step, unless its `onNonFinite` is
 * 'skip'. A NaN or infinity among the features is named if it is in the last batch
 * @throws BusyError while another `fit` is training the model
 * @example
 * const optimizer = new AdamW(runtime, model.parameters, { lr: 1e-3 });
 * const { epochs, bestEpoch } = await fit(model, train, {
 *   optimizer,
 *   epochs: 10,
 *   validation: test,
 *   earlyStopping: { patience: 3 },
 * });
 */
export async function fit(
  model: Model,
  data: TrainingData,
  options: FitOptions,
): Promise<FitResult> {
  checkModel('model', model);
  const run = new Run(model, data, copyFitOptions(options));
  try {
    await run.resume();
    const result = await run.execute();
    await run.close();
    return result;
  } catch (error) {
    // The first error is the one to report.
    await run.close().catch(() => {});
    throw error;
  } finally {
    run.release();
  }
}

/** What saves runs and loads them again: a third of the code of `fit`, which few runs need. */
type RunCheckpoint = typeof import('./run-checkpoint');

/** One call of `fit`. */
class Run {
  readonly #learner: Learner;
  /** Reserves the model: between two turns of the event loop nobody else may change it. */
  readonly #occupation: Occupation;
  readonly #options: FitOptions;
  readonly #source: BatchSource;
  readonly #stopping: EarlyStopping;
  /** Figure by which epochs are judged; undefined for the loss of the validation, or training. */
  readonly #monitor: string | undefined;
  readonly #budgetMs: number;
  readonly #validation: TrainingData | undefined;
  readonly #metrics: EvaluateOptions | undefined;
  /** The training metrics; null without any. */
  readonly #tally: MetricTally | null;
  /** Whether a callback has ended training. */
  #stopped = false;
  readonly #stop = () => {
    this.#stopped = true;
  };
  /** The settings that a stored run must share; those that the caller left open are not in it. */
  readonly #identity: RunIdentity;
  #state: RunState;
  /** Loaded by `resume` for a run that has a checkpoint or restores its best epoch. */
  #checkpoints!: RunCheckpoint;
  /** Whether the source already stands at the state's epoch and batch. */
  #positioned = false;
  #sliceStart = 0;
  #trainingMs = 0;
  #samples = 0;

  /** @param options copied and checked */
  constructor(model: Model, data: TrainingData, options: FitOptions) {
    const { optimizer, average, accumulator, schedule } = options;
    const { seed = 0, budgetMs = 8, earlyStopping, validationSplit } = options;
    const { initialEpoch, signal, lastBatch = 'keep', shuffle, order, stepsPerEpoch } = options;
    // Options are a copy, in which names of metrics are options of the validation.
    const metrics = options.metrics as EvaluateOptions | undefined;
    let { validation } = options;
    checkOwnership(model, options);
    if (validationSplit !== undefined)
      [data, validation] = splitLast('data', model.format, data, validationSplit);
    this.#validation = validation;
    this.#metrics = metrics;
    this.#learner = { model, optimizer, average, accumulator, schedule };
    this.#options = options;
    this.#source = createSource(model, data, {
      seed,
      signal,
      lastBatch,
      shuffle,
      order,
      stepsPerEpoch,
    });
    checkBatch(model, this.#source.smallestBatch ?? model.batchSize);
    const { names, count } = this.#source;
    if (typeof validation === 'function') checkEvaluateOptions(model.format, metrics ?? {});
    else if (validation !== undefined)
      readEvaluation('validation', { ...model.format, ...names }, validation, metrics);
    const named = metrics?.metrics;
    if (named !== undefined) checkMetricNames('metrics', named, model.format);
    if (validation === undefined && named?.includes('auc'))
      fail('metrics', "validation data for 'auc', which training does not compute", named);
    // The tally of training has no outputs of earlier batches.
    const trained = (named ?? []).filter((name) => name !== 'auc');
    this.#tally = trained.length > 0 ? new MetricTally(model.format, trained) : null;
    this.#stopping = new EarlyStopping(earlyStopping);
    this.#monitor = checkMonitor(
      this.#stopping.monitor,
      model.format,
      this.#tally,
      validation === undefined ? null : (metrics ?? {}),
    );
    this.#budgetMs = budgetMs;
    this.#identity = {
      seed,
      batchSize: model.batchSize,
      count,
      ...(initialEpoch !== undefined && { initialEpoch }),
      ...(lastBatch !== 'keep' && { lastBatch }),
      ...(order && { order: 'given' as const }),
      ...(shuffle === false && { order: 'kept' as const }),
      ...(stepsPerEpoch !== undefined && { stepsPerEpoch }),
      ...(trained.length > 0 && { metrics: trained.join() }),
      ...(this.#monitor !== undefined && { monitor: this.#monitor }),
      ...(this.#source.weighted && { sampleWeights: true }),
      ...names,
    };
    this.#state = firstRunState({
      ...this.#identity,
      initialEpoch: initialEpoch ?? model.learnt.history.epochsOf(seed),
    });
    const sums = zeroSums(model);
    if (sums) this.#state.outputSums = sums;
    this.#occupation = model.learnt.occupy('fit');
  }

  /** Lets others use the model again. */
  release(): void {
    this.#occupation.release();
  }

  /**
   * Gives the optimizer its schedule, and resumes the run that the store holds, if it holds one.
   */
  async resume(): Promise<void> {
    const { checkpoint, optimizer, schedule } = this.#options;
    if (checkpoint || this.#stopping.restoreBest)
      this.#checkpoints = await import('./run-checkpoint');
    const stored = checkpoint && checkpoint.keep !== 'best' ? await checkpoint.store.load() : null;
    const rates = optimizer.paramGroups.map(({ lr }) => lr);
    if (schedule !== undefined) for (const group of optimizer.paramGroups) group.lr = schedule;
    try {
      if (stored) await this.#load(stored.bytes);
    } catch (error) {
      for (const [index, group] of optimizer.paramGroups.entries()) group.lr = rates[index];
      throw error;
    }
  }

  /** Continues a stored run, or changes nothing. */
  async #load(bytes: Uint8Array): Promise<void> {
    const { decodeRun, loadRun } = this.#checkpoints;
    const { model } = this.#learner;
    const stored = decodeRun(bytes, model, this.#identity, this.#source.batchCount);
    const { run } = stored;
    const { epoch, batch, identity, bestState } = run;
    // A stream may be shorter than the stored run found it: this shows before anything is loaded.
    if (batch > 0 && this.#goesOn(run)) {
      await this.#source.start(epoch, batch, identity.initialEpoch ?? 0);
      this.#positioned = true;
    }
    const sums = zeroSums(this.#learner.model);
    if (batch > 0 && run.outputSums?.length !== sums?.length)
      refuseSums('outputSums', sums?.length ?? 0);
    if (this.#tally && !this.#tally.load(run.metricSums ?? []))
      refuseSums('metricSums', this.#tally.sums.length);
    this.#own(() => loadRun(stored, this.#learner, this.#source.names));
    this.#state = { ...run, identity: { ...this.#identity, initialEpoch: 0, ...identity } };
    if (sums && batch === 0) this.#state.outputSums = sums;
    else if (!sums) delete this.#state.outputSums;
    // Without its weights, a best epoch could not be restored.
    if (this.#stopping.restoreBest && bestState === null)
      this.#state.stopping = firstRunState(identity).stopping;
    this.#countEpochs();
  }

  async execute(): Promise<FitResult> {
    const { checkpoint, signal } = this.#options;
    const state = this.#state;
    this.#takeNames();
    this.#sliceStart = performance.now();
    while (this.#goesOn(state)) {
      if (!(await this.#trainEpoch())) break;
      await this.#finishEpoch();
    }
    const reason = this.#stopping.isExhausted(state.stopping)
      ? 'early-stopping'
      : signal?.aborted
        ? 'aborted'
        : this.#stopped && state.epoch <= this.#options.epochs
          ? 'stopped'
          : 'complete';
    const cut = reason === 'aborted' || reason === 'stopped';
    if (cut && checkpoint?.keep !== 'best') await this.#save();
    if (!cut && this.#stopping.restoreBest) this.#restoreBest();
    return {
      epochs: state.epochs,
      steps: state.step,
      reason,
      bestEpoch: state.stopping.bestEpoch || null,
      samplesPerSecond: this.#rate(),
    };
  }

  /** Closes the stream that the run has opened and not read to its end. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  /** Tells whether there is an epoch to train. */
  #goesOn({ epoch, stopping }: RunState): boolean {
    const { epochs, signal } = this.#options;
    if (this.#stopped || signal?.aborted) return false;
    return epoch <= epochs && !this.#stopping.isExhausted(stopping);
  }

  /** Trains the rest of the current epoch; false when the run was cut short in it. */
  async #trainEpoch(): Promise<boolean> {
    const { signal, checkpoint } = this.#options;
    const state = this.#state;
    const every = checkpoint?.keep === 'best' ? undefined : checkpoint?.every;
    const isCutShort = () =>
      (this.#stopped || signal?.aborted) && state.batch !== this.#source.batchCount;
    if (!this.#positioned)
      await this.#source.start(state.epoch, state.batch, state.identity.initialEpoch ?? 0);
    this.#positioned = false;
    while (true) {
      const next = this.#source.next();
      const count = typeof next === 'number' ? next : await next;
      this.#takeNames();
      if (count === null) return false;
      if (count === 0) break;
      checkBatch(this.#learner.model, count);
      const { loss, stepped } = this.#trainBatch(count);
      this.#samples += count;
      state.batch++;
      this.#reportBatch(count, loss, stepped);
      if (stepped && every && state.step % every === 0) await this.#save();
      if (isCutShort()) return false;
      if (performance.now() - this.#sliceStart >= this.#budgetMs) await this.#pause();
      if (isCutShort()) return false;
    }
    this.#own(() => this.#count(this.#options.accumulator?.flush() ?? null));
    return true;
  }

  /** Trains on the next batch, without a pause; returns its loss, and whether a step was taken. */
  #trainBatch(count: number): { loss: number; stepped: boolean } {
    const { optimizer, accumulator } = this.#options;
    return this.#own(() => {
      const sampleWeights = this.#source.load();
      const { model } = this.#learner;
      const loss = model.computeGradients(count, sampleWeights && { sampleWeights });
      const weight = this.#addLoss(count, loss);
      this.#tally?.add(model.outputs, model.batch.targets, count);
      try {
        if (!accumulator) return { loss, stepped: this.#count(optimizer.step()) };
        // A batch whose labels are all ignored has no gradient and no weight in its window.
        const result = weight === 0 ? null : accumulator.add(undefined, weight);
        return { loss, stepped: this.#count(result) };
      } catch (error) {
        throw this.#explain(error, count);
      }
    });
  }

  /** Returns the error of a refused step with the value in the batch's features that caused it. */
  #explain(error: unknown, count: number): unknown {
    if (!(error instanceof NonFiniteGradientError) || error.reason !== 'non-finite') return error;
    const { batch, format } = this.#learner.model;
    for (const [k, { name, size }] of format.inputs.entries()) {
      const values = batch.features[k].subarray(0, count * size);
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong < 0) continue;
      const sample = this.#source.placeOf(Math.floor(wrong / size));
      const input = format.inputs.length > 1 ? ` of input "${name}"` : '';
      const hint = `: value ${wrong % size}${input} of ${sample} is ${values[wrong]}`;
      const { group, parameter, count: elements } = error;
      return new NonFiniteGradientError('non-finite', group, parameter, elements, undefined, hint);
    }
    return error;
  }

  /** Adds the loss of a batch to the epoch's; returns the weight of the batch. */
  #addLoss(count: number, loss: number): number {
    const { model } = this.#learner;
    const state = this.#state;
    const { outputSums } = state;
    const weight = model.weighBatch(count);
    state.lossSum += weight * (outputSums ? model.penalty : loss);
    state.seen += weight;
    if (!outputSums) return weight;
    for (const [index, own] of model.lossesOf(count).entries()) {
      outputSums[2 * index] += own.weight * own.loss;
      outputSums[2 * index + 1] += own.weight;
    }
    return weight;
  }

  /** Returns the mean loss of the epoch so far: of each output over what its loss counts. */
  #meanLoss(): number {
    const { lossSum, seen, outputSums } = this.#state;
    const mean = meanOf(lossSum, seen);
    if (!outputSums) return mean;
    const { lossWeights } = this.#learner.model;
    const ofOutput = (k: number) => meanOf(outputSums[2 * k], outputSums[2 * k + 1]);
    return lossWeights.reduce((sum, factor, k) => sum + factor * ofOutput(k), 0) + mean;
  }

  /** Counts a step; returns false if there was none. */
  #count(stepped: { skipped: boolean } | null): boolean {
    if (!stepped) return false;
    this.#state.step++;
    if (stepped.skipped) this.#state.skipped++;
    else this.#options.average?.update();
    return true;
  }

  /** Reports progress and yields to the event loop. */
  async #pause(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    this.#report(null);
    await yieldToEventLoop();
    this.#sliceStart = performance.now();
  }

  async #finishEpoch(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    const state = this.#state;
    const { epoch, skipped } = state;
    const validation = await this.#validate();
    const result: FitEpoch = {
      epoch,
      loss: this.#meanLoss(),
      ...(this.#tally && { metrics: this.#tally.result() }),
      validation,
      skippedSteps: skipped,
    };
    state.epochs.push(result);
    const { schedule, checkpoint } = this.#options;
    tellSchedule(schedule, watchedLoss(result));
    const figure = figureOf(result, this.#monitor);
    state.stopping = this.#stopping.observe(state.stopping, epoch, figure);
    const improved = state.stopping.bestEpoch === epoch;
    if (improved && this.#stopping.restoreBest)
      state.bestState = this.#checkpoints.encodeLearner(this.#learner);
    this.#report(result);
    Object.assign(state, { epoch: epoch + 1, batch: 0, lossSum: 0, seen: 0, skipped: 0 });
    state.outputSums?.fill(0);
    this.#tally?.reset();
    this.#countEpochs();
    if (checkpoint?.keep !== 'best' || improved) await this.#save();
    this.#sliceStart = performance.now();
  }

  /** Evaluates the validation samples, in slices too. */
  async #validate(): Promise<Evaluation | null> {
    const [validation, metrics] = [this.#validation, this.#metrics];
    const { model } = this.#learner;
    if (!validation) return null;
    if (typeof validation === 'function')
      return evaluateChunks('validation', model, validation, metrics, this.#budgetMs);
    const batches = evaluationOf('validation', model, validation, metrics);
    let start = performance.now();
    for (let step = batches.next(); ; step = batches.next()) {
      if (step.done) return step.value;
      if (performance.now() - start < this.#budgetMs) continue;
      await yieldToEventLoop();
      start = performance.now();
    }
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const { store, extras } = checkpoint;
    if (this.#tally) this.#state.metricSums = this.#tally.sums;
    await this.#checkpoints.saveRun(store, this.#learner, this.#state, extras);
  }

  #restoreBest(): void {
    const { bestState } = this.#state;
    if (!bestState) return;
    this.#own(() => this.#checkpoints.loadBest(bestState, this.#learner));
    this.#countEpochs();
  }

  /** Does something that the model's occupation keeps others from doing. */
  #own<T>(action: () => T): T {
    this.#occupation.own = true;
    try {
      return action();
    } finally {
      this.#occupation.own = false;
    }
  }

  /** Tells the model the names that the data have given so far. */
  #takeNames(): void {
    this.#learner.model.learnt.history.takeNames(this.#source.names);
  }

  /** Tells the model how many epochs of the sample order are done. */
  #countEpochs(): void {
    const { identity, epoch } = this.#state;
    const epochs = (identity.initialEpoch ?? 0) + epoch - 1;
    this.#learner.model.learnt.history.setEpochs(identity.seed, epochs);
  }

  #report(result: FitEpoch | null): void {
    const { epochs, onProgress } = this.#options;
    if (!onProgress) return;
    const { epoch, batch, step } = this.#state;
    const progress = {
      epoch,
      epochs,
      batch,
      batchCount: this.#source.batchCount,
      step,
      loss: this.#meanLoss(),
      ...(this.#tally && { metrics: this.#tally.result() }),
      samplesPerSecond: this.#rate(),
      result,
    };
    onProgress(progress, this.#stop);
  }

  #reportBatch(samples: number, loss: number, stepped: boolean): void {
    const { onBatch } = this.#options;
    if (!onBatch) return;
    const { epoch, batch, step } = this.#state;
    const { batchCount } = this.#source;
    onBatch({ epoch, batch, batchCount, step, samples, loss, stepped }, this.#stop);
  }

  #rate(): number {
    return this.#trainingMs > 0 ? (1000 * this.#samples) / this.#trainingMs : 0;
  }
}

/** Tells a schedule the loss of an epoch, if it has an `update` to be told. */
function tellSchedule(schedule: LearningRate | undefined, loss: number): void {
  if (typeof schedule !== 'function' || !('update' in schedule)) return;
  if (typeof schedule.update === 'function') schedule.update(loss);
}

/** Returns the `outputSums` of an epoch that has not begun; undefined for fewer than two losses. */
function zeroSums({ lossWeights }: Model): number[] | undefined {
  const { length } = lossWeights;
  return length > 1 ? new Array<number>(2 * length).fill(0) : undefined;
}

/** @throws CheckpointError for a run state whose sums are of other metrics or losses */
function refuseSums(field: 'metricSums' | 'outputSums', length: number): never {
  throw new CheckpointError(
    'schema',
    `checkpoint: "extras.run.${field}" expected ${length} numbers, one a sum`,
  );
}

/** @throws ArgumentError for a batch that is too small to train on */
function checkBatch({ minBatchSize, batchSize }: Model, count: number): void {
  if (count >= minBatchSize) return;
  const hint =
    batchSize < minBatchSize
      ? 'create the model with a larger batchSize'
      : "option lastBatch: 'drop' or 'merge'";
  throw new ArgumentError(
    'data',
    `batches of at least ${minBatchSize} samples, so that batch norm has a variance (${hint})`,
    `one of ${count}`,
  );
}
