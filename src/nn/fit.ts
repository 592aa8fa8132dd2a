/**
 * Training: epochs over data, with validation, early stopping, checkpoints and cancellation.
 *
 * Invariant: what is learnt is a function of model, data, optimizer, schedule and seed. Pauses,
 * slices, progress reports, threads, and an interruption with a resumption in mid-epoch change no
 * bit of it.
 */
import { ArgumentError } from '../errors';
import { yieldToEventLoop } from '../runtime/yield-to-event-loop';
import { checkModel } from '../validate';
import { type BatchSource, createSource } from './batch-source';
import { EarlyStopping } from './early-stopping';
import { type Evaluation, evaluationOf, readEvaluation } from './evaluation';
import { copyFitOptions, type FitEpoch, type FitOptions, type FitResult } from './fit-options';
import type { Occupation } from './learnt-state';
import type { Model } from './model';
import { checkOwnership } from './ownership';
import type { TrainingData } from './samples';
import {
  encodeLearnt,
  type Learner,
  loadLearnt,
  loadRun,
  type RunIdentity,
  type RunState,
  saveRun,
} from './training-run';

/**
 * Trains a model. Each epoch visits every sample once, in an order that seed and epoch determine; a
 * short last batch counts by its samples. Streams are taken in their own order, and closed when the
 * run ends before they do.
 *
 * The model counts the epochs that it has been trained with each seed, and a later call with the
 * same seed goes on with the order of the next epoch: calling `fit` three times for one epoch
 * visits the samples as one call for three epochs does. The option `initialEpoch` sets where the
 * order begins.
 *
 * With a `checkpoint`, a run that the store holds goes on where it was saved, in mid-epoch too, and
 * ends with the same bits as one that was never interrupted.
 *
 * @throws ArgumentError for options or data that do not fit; nothing has been trained then, unless
 * it is a stream's chunk that
 * does not fit, or a stream without samples in a later epoch
 * @throws CheckpointError when the store fails, or holds another run
 * @example
 * const optimizer = new AdamW(runtime, model.parameters, { lr: 1e-3 });
 * const { epochs } = await fit(model, train, { optimizer, epochs: 10, validation: test,
 * earlyStopping: { patience: 3 } });
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
    // What went wrong first is what is told.
    await run.close().catch(() => {});
    throw error;
  } finally {
    run.release();
  }
}

/** One call of `fit`. */
class Run {
  readonly #learner: Learner;
  /**
   * The model is this run's alone: what others do to it between two turns of the event loop is
   * refused.
   */
  readonly #occupation: Occupation;
  readonly #options: FitOptions;
  readonly #source: BatchSource;
  readonly #stopping: EarlyStopping;
  readonly #budgetMs: number;
  readonly #identity: RunIdentity;
  readonly #seed: number;
  readonly #epochs: FitEpoch[] = [];
  /** Epochs of the order that were done before this run. */
  #initialEpoch: number;
  #epoch = 1;
  #batch = 0;
  #step = 0;
  #lossSum = 0;
  #seen = 0;
  #skipped = 0;
  /** Model and optimizer as they were then: what a model evaluates with may be the optimizer's. */
  #bestState: RunState['bestState'] = null;
  #sliceStart = 0;
  #trainingMs = 0;
  #samples = 0;

  /** @param options copied and checked */
  constructor(model: Model, data: TrainingData, options: FitOptions) {
    const { optimizer, average, seed = 0, validation, metrics, budgetMs = 8 } = options;
    const { earlyStopping, initialEpoch, signal, lastBatch = 'keep' } = options;
    checkOwnership(model, options);
    this.#learner = { model, optimizer, average };
    this.#options = options;
    this.#source = createSource(model, data, { seed, signal, lastBatch });
    this.#checkBatch(model, this.#source.smallestBatch ?? model.batchSize);
    const { names, count } = this.#source;
    if (validation !== undefined) {
      const {
        inputSize,
        outputSize,
        loss,
        classNames = names.classNames,
        columns = names.columns,
      } = model;
      readEvaluation(
        'validation',
        { inputSize, outputSize, loss, classNames, columns },
        validation,
        metrics,
      );
    }
    this.#stopping = new EarlyStopping(earlyStopping);
    this.#budgetMs = budgetMs;
    this.#seed = seed;
    this.#initialEpoch = initialEpoch ?? model.learnt.history.epochsOf(seed);
    const given = {
      ...(initialEpoch !== undefined && { initialEpoch }),
      ...(lastBatch !== 'keep' && { lastBatch }),
    };
    this.#identity = { seed, batchSize: model.batchSize, count, ...given, ...names };
    this.#occupation = model.learnt.occupy('fit');
  }

  /** Others may use the model again. */
  release(): void {
    this.#occupation.release();
  }

  /**
   * Gives the optimizer its schedule, and takes over the run that the store holds, if it holds one.
   */
  async resume(): Promise<void> {
    const { checkpoint, optimizer, schedule } = this.#options;
    const stored = checkpoint && checkpoint.keep !== 'best' ? await checkpoint.store.load() : null;
    const rates = optimizer.paramGroups.map(({ lr }) => lr);
    if (schedule !== undefined) for (const group of optimizer.paramGroups) group.lr = schedule;
    try {
      if (stored) this.#load(stored.bytes);
    } catch (error) {
      for (const [index, group] of optimizer.paramGroups.entries()) group.lr = rates[index];
      throw error;
    }
  }

  /** Takes over a stored run, or changes nothing. */
  #load(bytes: Uint8Array): void {
    const { accumulator, schedule } = this.#options;
    const stateful = schedule as Partial<Stateful> | undefined;
    const [window, shape] = [accumulator?.stateDict(), stateful?.stateDict?.()];
    let state: RunState;
    this.#occupation.own = true;
    try {
      state = loadRun(bytes, this.#learner, this.#identity, (run) => {
        if (run.window !== null) accumulator?.loadStateDict(run.window as never);
        if (run.schedule !== null) stateful?.loadStateDict?.(run.schedule);
      });
    } catch (error) {
      if (window !== undefined) accumulator!.loadStateDict(window as never);
      if (shape !== undefined) stateful!.loadStateDict!(shape);
      throw error;
    } finally {
      this.#occupation.own = false;
    }
    // A best epoch whose weights nobody has kept cannot be given back.
    if (!this.#stopping.restoreBest || state.bestState !== null)
      this.#stopping.state = state.stopping;
    this.#epochs.push(...state.epochs);
    ({ epoch: this.#epoch, batch: this.#batch, step: this.#step } = state);
    ({ lossSum: this.#lossSum, seen: this.#seen, skipped: this.#skipped } = state);
    this.#bestState = state.bestState;
    this.#initialEpoch = state.identity.initialEpoch ?? 0;
    this.#countEpochs();
  }

  async execute(): Promise<FitResult> {
    const { epochs, signal } = this.#options;
    this.#learner.model.learnt.history.takeNames(this.#source.names);
    this.#sliceStart = performance.now();
    while (this.#epoch <= epochs && !signal?.aborted && !this.#stopping.exhausted) {
      if (!(await this.#trainEpoch())) break;
      await this.#finishEpoch();
    }
    const reason = this.#stopping.exhausted
      ? 'early-stopping'
      : signal?.aborted
        ? 'aborted'
        : 'complete';
    if (reason === 'aborted' && this.#options.checkpoint?.keep !== 'best') await this.#save();
    if (reason !== 'aborted' && this.#stopping.restoreBest) this.#restoreBest();
    return {
      epochs: this.#epochs,
      steps: this.#step,
      reason,
      bestEpoch: this.#stopping.bestEpoch,
      samplesPerSecond: this.#rate(),
    };
  }

  /** Closes what the run has opened and not read to its end. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  /** From the batch reached to the epoch's end; false when it was cut short. */
  async #trainEpoch(): Promise<boolean> {
    const { signal, checkpoint } = this.#options;
    await this.#source.start(this.#epoch, this.#batch, this.#initialEpoch);
    while (true) {
      const next = this.#source.next();
      const count = typeof next === 'number' ? next : await next;
      if (count === null) return false;
      if (count === 0) break;
      this.#checkBatch(this.#learner.model, count);
      const stepped = this.#trainBatch(count);
      this.#samples += count;
      this.#batch++;
      const due =
        stepped &&
        checkpoint?.every &&
        checkpoint.keep !== 'best' &&
        this.#step % checkpoint.every === 0;
      if (due) await this.#save();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
      if (performance.now() - this.#sliceStart >= this.#budgetMs) await this.#pause();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
    }
    this.#flush();
    return true;
  }

  /** @throws ArgumentError for a batch that is too small to train on */
  #checkBatch({ fewestSamples, batchSize }: Model, count: number): void {
    if (count >= fewestSamples) return;
    const hint =
      batchSize < fewestSamples
        ? 'a model of a greater batchSize'
        : "option lastBatch: 'drop' or 'merge'";
    const expected = `batches of at least ${fewestSamples} samples, for batch norm to have a variance (${hint})`;
    throw new ArgumentError('data', expected, `one of ${count}`);
  }

  /** Trains on the next batch; whether a step was taken. Nothing else happens meanwhile. */
  #trainBatch(count: number): boolean {
    const { optimizer, accumulator } = this.#options;
    this.#occupation.own = true;
    try {
      this.#source.load();
      const { model } = this.#learner;
      const loss = model.computeGradients(count);
      const weight = model.weighBatch(count);
      this.#lossSum += weight * loss;
      this.#seen += weight;
      return this.#count(accumulator ? accumulator.add(undefined, weight) : optimizer.step());
    } finally {
      this.#occupation.own = false;
    }
  }

  /** Takes the step of a window that the epoch has not filled. */
  #flush(): void {
    this.#occupation.own = true;
    try {
      this.#count(this.#options.accumulator?.flush() ?? null);
    } finally {
      this.#occupation.own = false;
    }
  }

  /** Counts a step; false if there was none. */
  #count(stepped: { skipped: boolean } | null): boolean {
    if (!stepped) return false;
    this.#step++;
    if (stepped.skipped) this.#skipped++;
    else this.#options.average?.update();
    return true;
  }

  /** Reports, and lets the event loop turn. */
  async #pause(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    this.#report(null);
    await yieldToEventLoop();
    this.#sliceStart = performance.now();
  }

  async #finishEpoch(): Promise<void> {
    this.#trainingMs += performance.now() - this.#sliceStart;
    const epoch = this.#epoch;
    const validation = await this.#validate();
    const result = {
      epoch,
      loss: this.#lossSum / this.#seen,
      validation,
      skippedSteps: this.#skipped,
    };
    this.#epochs.push(result);
    const watched = validation?.loss ?? result.loss;
    (this.#options.schedule as Partial<Stateful> | undefined)?.update?.(watched);
    const improved = this.#stopping.observe(epoch, watched);
    if (improved && this.#stopping.restoreBest) this.#bestState = encodeLearnt(this.#learner);
    this.#report(result);
    this.#epoch++;
    this.#countEpochs();
    this.#batch = 0;
    this.#lossSum = 0;
    this.#seen = 0;
    this.#skipped = 0;
    if (this.#options.checkpoint?.keep !== 'best' || improved) await this.#save();
    this.#sliceStart = performance.now();
  }

  /** Evaluates in slices too. */
  async #validate(): Promise<Evaluation | null> {
    const { validation, metrics } = this.#options;
    if (!validation) return null;
    const batches = evaluationOf('validation', this.#learner.model, validation, metrics);
    let start = performance.now();
    for (let step = batches.next(); ; step = batches.next()) {
      if (step.done) return step.value;
      if (performance.now() - start < this.#budgetMs) continue;
      await yieldToEventLoop();
      start = performance.now();
    }
  }

  async #save(): Promise<void> {
    const { checkpoint, accumulator, schedule } = this.#options;
    if (!checkpoint) return;
    const state: RunState = {
      window: accumulator?.stateDict() ?? null,
      identity: { ...this.#identity, initialEpoch: this.#initialEpoch },
      schedule: (schedule as Partial<Stateful> | undefined)?.stateDict?.() ?? null,
      stopping: this.#stopping.state,
      epochs: this.#epochs,
      epoch: this.#epoch,
      batch: this.#batch,
      step: this.#step,
      lossSum: this.#lossSum,
      seen: this.#seen,
      skipped: this.#skipped,
      bestState: this.#bestState,
    };
    await saveRun(checkpoint.store, this.#learner, state, checkpoint.extras);
  }

  #restoreBest(): void {
    if (!this.#bestState) return;
    this.#occupation.own = true;
    loadLearnt(this.#bestState, this.#learner);
    this.#occupation.own = false;
    this.#countEpochs();
  }

  /** Tells the model how many epochs of the order are done. */
  #countEpochs(): void {
    this.#learner.model.learnt.history.setEpochs(this.#seed, this.#initialEpoch + this.#epoch - 1);
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
