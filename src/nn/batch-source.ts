/** Batches of training data, in memory or from streams. */
import { BatchOrder, gatherInto, gatherLabelsInto } from '../data';
import { ArgumentError } from '../errors';
import { ChunkReader } from './chunk-reader';
import { lossKindOf } from './losses';
import type { Model } from './model';
import { type ChunkStream, loadRange, rangeOf, readSamples, type SampleArrays, type TrainingData } from './samples';
import type { DataNames } from './training-history';

/** Batches of training data, epoch by epoch, always in the same order for the same seed. */
export interface BatchSource {
  /** Samples an epoch; null for a stream. */
  readonly count: number | null;
  readonly batchCount: number | null;
  /** Names of classes and columns; those of streams come with their chunks. */
  readonly names: DataNames;
  /** Begins an epoch (1-based) of a run at one of its batches; `initialEpoch` epochs of the order count as done before the run. */
  start(epoch: number, batch: number, initialEpoch: number): Promise<void> | void;
  /** Copies the next batch into the model; its size, 0 at the end of the epoch, or null if the signal was aborted meanwhile. */
  next(): number | Promise<number | null>;
  /** Closes what the epoch under way has opened. */
  close(): Promise<void> | void;
}

/**
 * @param signal ends waiting for a chunk
 * @throws ArgumentError when the data do not fit the model
 */
export function createSource(model: Model, data: TrainingData, seed: number, signal?: AbortSignal): BatchSource {
  if (typeof data === 'function') return new StreamSource(model, data, signal);
  return new ArraySource(model, readSamples('data', model, data), seed);
}

/** Samples in memory, in another random order every epoch. */
class ArraySource implements BatchSource {
  readonly count: number;
  readonly batchCount: number;
  readonly names: DataNames;
  readonly #model: Model;
  readonly #samples: SampleArrays;
  readonly #order: BatchOrder;
  #batch = 0;

  constructor(model: Model, samples: SampleArrays, seed: number) {
    this.#model = model;
    this.#samples = samples;
    const { classNames, columns } = samples;
    this.names = { ...(classNames && { classNames }), ...(columns && { columns }) };
    this.#order = new BatchOrder(samples.count, model.batchSize, seed);
    this.count = samples.count;
    this.batchCount = this.#order.batchCount;
  }

  start(epoch: number, batch: number, initialEpoch: number): void {
    this.#order.startEpoch(initialEpoch + epoch - 1);
    this.#batch = batch;
  }

  next(): number {
    if (this.#batch === this.batchCount) return 0;
    const model = this.#model;
    const { count: samples, features, labels, targets } = this.#samples;
    const { indices } = this.#order;
    const from = this.#order.from(this.#batch);
    const count = this.#order.length(this.#batch);
    this.#batch++;
    // Throws for an array that has lost elements since it was checked.
    gatherInto(
      rangeOf(features, 'data.features', model.inputSize, 0, samples),
      model.inputSize,
      indices,
      from,
      count,
      model.input,
    );
    if (labels) gatherLabelsInto(rangeOf(labels, 'data.labels', 1, 0, samples), indices, from, count, model.labels);
    if (targets) {
      const whole = rangeOf(targets, 'data.targets', model.outputSize, 0, samples);
      gatherInto(whole, model.outputSize, indices, from, count, model.targets);
    }
    return count;
  }

  close(): void {}
}

/** A stream of chunks, cut into batches in the order in which they come. Where the stream is cut into chunks changes nothing. */
class StreamSource implements BatchSource {
  readonly count = null;
  readonly batchCount = null;
  readonly names = {};
  readonly #model: Model;
  readonly #open: () => ChunkStream;
  readonly #signal: AbortSignal | undefined;
  /** Samples of chunks too short for a batch: copies, since a stream may use its arrays again. */
  readonly #held: SampleArrays;
  #heldCount = 0;
  #chunks: ChunkReader | null = null;
  #chunk: SampleArrays | null = null;
  #from = 0;
  /** The epoch under way, from 1, and its samples that have come. */
  #epoch = 0;
  #received = 0;
  #aborted = false;

  constructor(model: Model, open: () => ChunkStream, signal?: AbortSignal) {
    this.#model = model;
    this.#open = open;
    this.#signal = signal;
    const { batchSize, inputSize, outputSize, loss } = model;
    const classes = lossKindOf(loss).targets === 'classes';
    this.#held = {
      count: batchSize,
      features: new Float32Array(batchSize * inputSize),
      labels: classes ? new Int32Array(batchSize) : undefined,
      targets: classes ? undefined : new Float32Array(batchSize * outputSize),
    };
  }

  async start(epoch: number, batch: number): Promise<void> {
    await this.close();
    this.#chunk = null;
    this.#heldCount = 0;
    this.#received = 0;
    this.#epoch = epoch;
    this.#chunks = new ChunkReader('data()', this.#open(), this.#signal);
    const wanted = batch * this.#model.batchSize;
    let skip = wanted;
    while (skip > 0 && (await this.#more())) {
      const count = Math.min(skip, this.#left);
      this.#from += count;
      skip -= count;
    }
    // The last batch that was trained on may have been short.
    if (skip >= this.#model.batchSize && !this.#aborted) {
      const expected = `more than ${wanted - this.#model.batchSize} samples in epoch ${this.#epoch}, as before the run was interrupted`;
      throw new ArgumentError('data()', expected, `${this.#received}`);
    }
  }

  async next(): Promise<number | null> {
    const { batchSize } = this.#model;
    while (this.#heldCount < batchSize && (await this.#more())) {
      const count = Math.min(batchSize - this.#heldCount, this.#left);
      if (count === batchSize) {
        loadRange(this.#model, this.#chunk!, this.#from, count);
        this.#from += count;
        return count;
      }
      this.#hold(count);
    }
    if (this.#aborted) return null;
    const count = this.#heldCount;
    if (count > 0) loadRange(this.#model, this.#held, 0, count);
    this.#heldCount = 0;
    return count;
  }

  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = null;
    await chunks?.close();
  }

  /** Samples of the chunk that no batch has had. */
  get #left(): number {
    return this.#chunk === null ? 0 : this.#chunk.count - this.#from;
  }

  /** Sees to it that the chunk has samples; false at the end of the stream, and once the signal is aborted. */
  async #more(): Promise<boolean> {
    while (this.#left === 0) {
      const answer = await this.#chunks!.next();
      if (answer === 'aborted') this.#aborted = true;
      if (answer === 'end' && this.#received === 0) {
        const hint = 'return a new iterator for every epoch, not one that has been read';
        throw new ArgumentError('data()', `samples in epoch ${this.#epoch} (${hint})`, 'none');
      }
      if (typeof answer === 'string') return false;
      this.#chunk = readSamples('data()', this.#model, answer.chunk, 0);
      this.#model.history.takeNames(this.#chunk);
      this.#from = 0;
      this.#received += this.#chunk.count;
    }
    return true;
  }

  #hold(count: number): void {
    const { inputSize, outputSize } = this.#model;
    const { features, labels, targets } = this.#chunk!;
    const [from, at] = [this.#from, this.#heldCount];
    this.#held.features.set(rangeOf(features, 'data().features', inputSize, from, count), at * inputSize);
    if (labels) this.#held.labels?.set(rangeOf(labels, 'data().labels', 1, from, count), at);
    if (targets) {
      this.#held.targets?.set(rangeOf(targets, 'data().targets', outputSize, from, count), at * outputSize);
    }
    this.#from += count;
    this.#heldCount += count;
  }
}
