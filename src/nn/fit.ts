/**
 * Training: epochs over data, with validation, early stopping, checkpoints and cancellation.
 *
 * Invariant: what is learnt is a function of model, data, optimizer, schedule and seed. Pauses, slices, progress reports, threads, and
 * an interruption with a resumption in mid-epoch change no bit of it.
 */
import { turn } from '../runtime/turn';
import { type BatchSource, createSource } from './batch-source';
import { EarlyStopping } from './early-stopping';
import { type Evaluation, evaluationOf, readEvaluation } from './evaluation';
import { copyFitOptions, type FitEpoch, type FitOptions, type FitResult } from './fit-options';
import type { Model } from './model';
import type { TrainingData } from './samples';
import { encodeLearnt, type Learner, loadLearnt, loadRun, type RunIdentity, type RunState, saveRun } from './training-run';

/**
 * Trains a model. Each epoch visits every sample once, in an order that seed and epoch determine; a short last batch counts by its
 * samples. Streams are taken in their own order, and closed when the run ends before they do.
 *
 * The model counts the epochs that it has been trained with each seed, and a later call with the same seed goes on with the order
 * of the next epoch: calling `fit` three times for one epoch visits the samples as one call for three epochs does. The option
 * `initialEpoch` sets where the order begins.
 *
 * With a `checkpoint`, a run that the store holds goes on where it was saved, in mid-epoch too, and ends with the same bits as one
 * that was never interrupted.
 *
 * @throws ArgumentError for options or data that do not fit; nothing has been trained then, unless it is a stream's chunk that
 * does not fit, or a stream without samples in a later epoch
 * @throws CheckpointError when the store fails, or holds another run
 * @example
 * const optimizer = new AdamW(runtime, model.parameters, { lr: 1e-3 });
 * const { epochs } = await fit(model, train, { optimizer, epochs: 10, validation: test, earlyStopping: { patience: 3 } });
 */
export async function fit(model: Model, data: TrainingData, options: FitOptions): Promise<FitResult> {
  const run = new Run(model, data, copyFitOptions(options));
  await run.resume();
  let result: FitResult;
  try {
    result = await run.execute();
  } catch (error) {
    // What went wrong first is what is told.
    await run.close().catch(() => {});
    throw error;
  }
  await run.close();
  return result;
}

/** One call of `fit`. */
class Run {
  readonly #learner: Learner;
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
    const { optimizer, average, seed = 0, validation, metrics, budgetMs = 8, schedule } = options;
    const { earlyStopping, initialEpoch } = options;
    this.#learner = { model, optimizer, average };
    this.#options = options;
    this.#source = createSource(model, data, seed, options.signal);
    const { names, count } = this.#source;
    if (validation !== undefined) {
      const { inputSize, outputSize, loss, classNames = names.classNames, columns = names.columns } = model;
      readEvaluation('validation', { inputSize, outputSize, loss, classNames, columns }, validation, metrics);
    }
    this.#stopping = new EarlyStopping(earlyStopping);
    this.#budgetMs = budgetMs;
    this.#seed = seed;
    this.#initialEpoch = initialEpoch ?? model.history.epochsOf(seed);
    const given = initialEpoch === undefined ? {} : { initialEpoch };
    this.#identity = { seed, batchSize: model.batchSize, count, ...given, ...names };
    if (schedule !== undefined) for (const group of optimizer.paramGroups) group.lr = schedule;
  }

  /** Takes over the run that the store holds, if it holds one. */
  async resume(): Promise<void> {
    const { checkpoint, accumulator, schedule } = this.#options;
    if (!checkpoint || checkpoint.keep === 'best') return;
    const state = await loadRun(checkpoint.store, this.#learner, this.#identity);
    if (!state) return;
    if (state.window !== null) accumulator?.loadStateDict(state.window as never);
    if (state.schedule !== null) (schedule as Partial<Stateful>)?.loadStateDict?.(state.schedule);
    // A best epoch whose weights nobody has kept cannot be given back.
    if (!this.#stopping.restoreBest || state.bestState !== null) this.#stopping.state = state.stopping;
    this.#epochs.push(...state.epochs);
    ({ epoch: this.#epoch, batch: this.#batch, step: this.#step } = state);
    ({ lossSum: this.#lossSum, seen: this.#seen, skipped: this.#skipped } = state);
    this.#bestState = state.bestState;
    this.#initialEpoch = state.identity.initialEpoch ?? 0;
    this.#countEpochs();
  }

  async execute(): Promise<FitResult> {
    const { epochs, signal } = this.#options;
    this.#learner.model.history.takeNames(this.#source.names);
    this.#sliceStart = performance.now();
    while (this.#epoch <= epochs && !signal?.aborted && !this.#stopping.exhausted) {
      if (!(await this.#trainEpoch())) break;
      await this.#finishEpoch();
    }
    const reason = this.#stopping.exhausted ? 'early-stopping' : signal?.aborted ? 'aborted' : 'complete';
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
    const { optimizer, accumulator, signal, checkpoint } = this.#options;
    const { model } = this.#learner;
    await this.#source.start(this.#epoch, this.#batch, this.#initialEpoch);
    while (true) {
      const next = this.#source.next();
      const count = typeof next === 'number' ? next : await next;
      if (count === null) return false;
      if (count === 0) break;
      const loss = model.computeGradients(count);
      const weight = model.weighBatch(count);
      this.#lossSum += weight * loss;
      const stepped = accumulator ? accumulator.add(undefined, weight) : optimizer.step();
      this.#count(stepped);
      this.#seen += weight;
      this.#samples += count;
      this.#batch++;
      const due = stepped && checkpoint?.every && checkpoint.keep !== 'best' && this.#step % checkpoint.every === 0;
      if (due) await this.#save();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
      if (performance.now() - this.#sliceStart >= this.#budgetMs) await this.#pause();
      if (signal?.aborted && this.#batch !== this.#source.batchCount) return false;
    }
    this.#count(accumulator?.flush() ?? null);
    return true;
  }

  /** Counts a step, if there was one. */
  #count(stepped: { skipped: boolean } | null): void {
    if (!stepped) return;
    this.#step++;
    if (stepped.skipped) this.#skipped++;
    else this.#options.average?.update();
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
      await turn();
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
    loadLearnt(this.#bestState, this.#learner);
    this.#countEpochs();
  }

  /** Tells the model how many epochs of the order are done. */
  #countEpochs(): void {
    this.#learner.model.history.setEpochs(this.#seed, this.#initialEpoch + this.#epoch - 1);
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
