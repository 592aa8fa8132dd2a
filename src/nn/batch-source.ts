/** Sources of training batches: samples in memory, or streams of chunks. */
import { BatchOrder, gatherLabelsInto, gatherRowsInto } from '../data';
import { ArgumentError } from '../errors';
import type { AbortSignalLike } from '../types';
import { fail, isInt32Array, isTypedArray } from '../validate';
import { ChunkReader } from './chunk-reader';
import { lossKindOf } from './losses';
import type { Model } from './model';
import {
  type ChunkStream,
  checkLength,
  loadRange,
  mapWeights,
  rangeOf,
  readSamples,
  type SampleArrays,
  type SampleFormat,
  type TrainingData,
  type WeightsByOutput,
} from './samples';
import type { DataNames } from './training-history';

/** A source of batches, epoch by epoch, always in the same order for the same seed. */
export interface BatchSource {
  /** Samples per epoch; null for a stream. */
  readonly count: number | null;
  /** Batches per epoch; null for a stream. */
  readonly batchCount: number | null;
  /** Samples of the smallest batch; null for a stream. */
  readonly smallestBatch: number | null;
  /** Whether samples in memory have weights; false for a stream. */
  readonly weighted: boolean;
  /** Names of classes and columns; a stream has those of the chunks read so far. */
  readonly names: DataNames;
  /**
   * Positions the source at a batch of an epoch.
   * @param epoch of the run, from 1
   * @param batch from 0
   * @param initialEpoch epochs of the sample order before the run's first
   * @throws ArgumentError for a stream that has fewer batches
   */
  start(epoch: number, batch: number, initialEpoch: number): Promise<void> | void;
  /**
   * Moves to the next batch.
   * @returns its size; 0 at the end of the epoch; null if the signal was aborted meanwhile
   */
  next(): number | Promise<number | null>;
  /**
   * Copies the batch that `next` found into the model, synchronously.
   * @returns the weights of its samples, if they have any; valid until the next batch
   */
  load(): WeightsByOutput | undefined;
  /** Names a sample of the batch, by its row, for errors. */
  placeOf(row: number): string;
  /** Closes the stream that the current epoch has opened. */
  close(): Promise<void> | void;
}

/** How to treat a last batch that is shorter than the others: see `FitOptions`. */
export type LastBatch = 'keep' | 'drop' | 'merge';

export interface SourceOptions {
  /** Seed of the order of samples in memory. */
  readonly seed: number;
  /** @default 'keep' */
  readonly lastBatch?: LastBatch;
  /** Whether samples in memory have the seed's order. @default true */
  readonly shuffle?: boolean;
  /** Order of samples in memory, by epoch from 0. @default the seed's */
  readonly order?: ((epoch: number) => Uint32Array) | undefined;
  /** Batches per epoch of a stream that goes on over epochs. @default an epoch is one stream */
  readonly stepsPerEpoch?: number | undefined;
  /** Name of the data in errors. @default 'data' */
  readonly argument?: string;
  /** Ends waiting for a chunk. */
  readonly signal?: AbortSignalLike;
}

/**
 * Creates the source for the data.
 * @throws ArgumentError if the data do not fit the model
 */
export function createSource(
  model: Model,
  data: TrainingData,
  options: SourceOptions,
): BatchSource {
  if (typeof data === 'function') {
    if (options.order) fail('order', 'nothing for a stream, which has an order of its own', 'one');
    return new StreamSource(model, data, options);
  }
  if (options.stepsPerEpoch !== undefined)
    fail(
      'stepsPerEpoch',
      'nothing for samples in memory, only for a stream',
      options.stepsPerEpoch,
    );
  return new ArraySource(model, readSamples('data', model.format, data), options);
}

/**
 * Returns the size of the first of the two batches over which 'merge' distributes a full batch and
 * the `rest` of an epoch.
 */
function firstMerged(batchSize: number, rest: number): number {
  return Math.ceil((batchSize + rest) / 2);
}

/** Samples in memory, in another random order every epoch. */
class ArraySource implements BatchSource {
  readonly count: number;
  readonly batchCount: number;
  readonly smallestBatch: number;
  readonly weighted: boolean;
  readonly names: DataNames;
  readonly #model: Model;
  readonly #samples: SampleArrays;
  readonly #order: BatchOrder;
  readonly #options: SourceOptions;
  /** Index in the order at which the last batch begins. */
  readonly #lastFrom: number;
  #batch = 0;
  /** The batch to load: its first index in the order, and its samples. */
  #from = 0;
  #length = 0;

  constructor(model: Model, samples: SampleArrays, options: SourceOptions) {
    const { seed, lastBatch = 'keep' } = options;
    this.#options = options;
    const { classNames, columns, count } = samples;
    const { batchSize } = model;
    this.#model = model;
    this.#samples = samples;
    this.names = { ...(classNames && { classNames }), ...(columns && { columns }) };
    this.#order = new BatchOrder(count, batchSize, seed);
    const rest = count % batchSize;
    const dropped = lastBatch === 'drop' ? rest : 0;
    if (dropped === count) {
      throw new ArgumentError(
        'data',
        `at least one batch of ${batchSize} samples, with lastBatch: 'drop'`,
        `${count} samples`,
      );
    }
    this.count = count;
    this.weighted = samples.sampleWeights !== undefined;
    this.batchCount = Math.ceil((count - dropped) / batchSize);
    const shared = lastBatch === 'merge' && rest > 0 && count > batchSize;
    this.#lastFrom =
      (this.batchCount - 1) * batchSize - (shared ? batchSize - firstMerged(batchSize, rest) : 0);
    this.smallestBatch = Math.min(batchSize, count - dropped - this.#lastFrom);
  }

  start(epoch: number, batch: number, initialEpoch: number): void {
    this.#writeOrder(initialEpoch + epoch - 1);
    this.#batch = batch;
  }

  /** Writes the order of an epoch, from 0. */
  #writeOrder(epoch: number): void {
    const { shuffle = true, order } = this.#options;
    const { indices } = this.#order;
    if (order === undefined) {
      if (shuffle) this.#order.startEpoch(epoch);
      else for (let i = 0; i < this.count; i++) indices[i] = i;
      return;
    }
    const given: unknown = order(epoch);
    const name = `order(${epoch})`;
    if (!isTypedArray('Uint32Array', given) || given.length !== this.count)
      fail(name, `a Uint32Array of ${this.count} indices`, given);
    const wrong = given.findIndex((index) => index >= this.count);
    if (wrong >= 0) fail(`${name}[${wrong}]`, `an index in [0, ${this.count - 1}]`, given[wrong]);
    indices.set(given);
  }

  next(): number {
    const batch = this.#batch;
    if (batch === this.batchCount) return 0;
    const { batchSize } = this.#model;
    const last = this.batchCount - 1;
    this.#from = batch === last ? this.#lastFrom : batch * batchSize;
    const end = batch === last - 1 ? this.#lastFrom : Math.min(this.#from + batchSize, this.count);
    this.#length = end - this.#from;
    this.#batch++;
    return this.#length;
  }

  load(): WeightsByOutput | undefined {
    const { format, batch } = this.#model;
    const { count: samples, features, targets, sampleWeights } = this.#samples;
    const { indices } = this.#order;
    const [from, count] = [this.#from, this.#length];
    for (let k = 0; k < features.length; k++) {
      const { size } = format.inputs[k];
      checkLength(features[k], 'data.features', samples * size);
      gatherRowsInto(features[k], size, indices, from, count, batch.features[k]);
    }
    for (let k = 0; k < targets.length; k++) {
      const { perSample } = format.targets[k];
      checkLength(targets[k], 'data.labels or data.targets', samples * perSample);
      gather(targets[k], perSample, indices, from, count, batch.targets[k]);
    }
    return mapWeights(sampleWeights, (weights) => {
      checkLength(weights, 'data.sampleWeights', samples);
      const gathered = new Float32Array(count);
      gatherRowsInto(weights, 1, indices, from, count, gathered);
      return gathered;
    });
  }

  placeOf(row: number): string {
    return `sample ${this.#order.indices[this.#from + row]} of the data`;
  }

  close(): void {}
}

/** Copies the labels or targets of the samples at those indices. */
function gather(
  values: Int32Array | Float32Array,
  perSample: number,
  indices: Uint32Array,
  from: number,
  count: number,
  out: Int32Array | Float32Array,
): void {
  if (isInt32Array(values))
    gatherLabelsInto(values, indices, from, count, out as Int32Array, perSample);
  else gatherRowsInto(values, perSample, indices, from, count, out as Float32Array);
}

/**
 * A stream of chunks, cut into batches in the order of the stream. The batches do not depend on how
 * the stream is cut into chunks.
 */
class StreamSource implements BatchSource {
  readonly count = null;
  readonly batchCount: number | null;
  readonly smallestBatch = null;
  readonly weighted = false;
  readonly #model: Model;
  readonly #open: () => ChunkStream;
  /** Name of the stream in errors. */
  readonly #argument: string;
  readonly #signal: AbortSignalLike | undefined;
  readonly #lastBatch: LastBatch;
  /**
   * Samples of chunks that are too short for a batch. They are copies, since a stream may reuse its
   * arrays. With 'merge', two batches are held, because the last but one may have to give samples
   * to the last.
   */
  readonly #held: SampleArrays & { sampleWeights?: WeightsByOutput | undefined };
  #names: DataNames = {};
  #heldCount = 0;
  /** The batch to load: samples of a chunk, or of those held. */
  #batch: SampleArrays | null = null;
  #batchFrom = 0;
  #batchLength = 0;
  #chunks: ChunkReader | null = null;
  #chunk: SampleArrays | null = null;
  #from = 0;
  /** Current epoch, from 1, and the number of its samples received so far. */
  #epoch = 0;
  #received = 0;
  #aborted = false;
  /** Batches that the current epoch has given. */
  #given = 0;

  constructor(
    model: Model,
    open: () => ChunkStream,
    { signal, lastBatch = 'keep', argument = 'data', stepsPerEpoch }: SourceOptions,
  ) {
    this.batchCount = stepsPerEpoch ?? null;
    this.#argument = `${argument}()`;
    this.#model = model;
    this.#open = open;
    this.#signal = signal;
    this.#lastBatch = lastBatch;
    const { batchSize, format } = model;
    const count = lastBatch === 'merge' ? 2 * batchSize : batchSize;
    this.#held = {
      count,
      features: format.inputs.map(({ size }) => new Float32Array(count * size)),
      targets: format.targets.map(({ loss, perSample }) =>
        lossKindOf(loss).targets === 'classes'
          ? new Int32Array(count * perSample)
          : new Float32Array(count * perSample),
      ),
    };
  }

  get names(): DataNames {
    return this.#names;
  }

  async start(epoch: number, batch: number): Promise<void> {
    const steps = this.batchCount;
    const goesOn = steps !== null && this.#epoch === epoch - 1 && this.#given === steps;
    this.#epoch = epoch;
    this.#given = 0;
    if (goesOn && batch === 0) return;
    await this.#restart();
    if (steps !== null) {
      for (let left = (epoch - 1) * steps + batch; left > 0; left--)
        if ((await this.#nextEndless()) === null) return;
      this.#given = batch;
    } else if (this.#lastBatch === 'merge') {
      for (let done = 0; done < batch; done++)
        if ((await this.next()) === 0) this.#refuseShorter(done);
    } else {
      await this.#skip(batch);
    }
  }

  /** Opens the stream, from its beginning. */
  async #restart(): Promise<void> {
    await this.close();
    this.#chunk = null;
    this.#heldCount = 0;
    this.#received = 0;
    this.#chunks = new ChunkReader(this.#argument, this.#open(), this.#signal);
    this.#batch = null;
  }

  async next(): Promise<number | null> {
    const steps = this.batchCount;
    if (steps === null) return this.#nextOfStream();
    if (this.#given === steps) return 0;
    this.#given++;
    return this.#nextEndless();
  }

  /** Moves to the next batch of a stream that begins again after its end. */
  async #nextEndless(): Promise<number | null> {
    const count = await this.#nextOfStream();
    if (count !== 0) return count;
    await this.#restart();
    return this.#nextOfStream();
  }

  /** Moves to the next batch of the stream; 0 at its end, null if the signal was aborted. */
  async #nextOfStream(): Promise<number | null> {
    if (this.#batch === this.#held) this.#dropHeld(this.#batchLength);
    const { batchSize } = this.#model;
    const wanted = this.#held.count;
    while (this.#heldCount < wanted && (await this.#more())) {
      const count = Math.min(wanted - this.#heldCount, this.#left);
      if (count === batchSize && wanted === batchSize) {
        this.#from += count;
        return this.#offer(this.#chunk!, this.#from - count, count);
      }
      this.#hold(count);
    }
    if (this.#aborted) return null;
    return this.#offer(this.#held, 0, this.#nextOfHeld());
  }

  load(): WeightsByOutput | undefined {
    return loadRange(this.#model, this.#batch!, this.#batchFrom, this.#batchLength);
  }

  placeOf(row: number): string {
    return `sample ${row} of a batch in epoch ${this.#epoch}`;
  }

  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = null;
    await chunks?.close();
  }

  #offer(batch: SampleArrays, from: number, length: number): number {
    [this.#batch, this.#batchFrom, this.#batchLength] = [batch, from, length];
    return length;
  }

  /** Returns the size of the next batch, all of whose samples are held. */
  #nextOfHeld(): number {
    const { batchSize } = this.#model;
    const held = this.#heldCount;
    if (held >= 2 * batchSize) return batchSize;
    if (held > batchSize) return firstMerged(batchSize, held - batchSize);
    if (held < batchSize && this.#lastBatch === 'drop') {
      if (this.#received < batchSize) {
        const wanted = `at least one batch of ${batchSize} samples in epoch ${this.#epoch}`;
        throw new ArgumentError(
          this.#argument,
          `${wanted}, with lastBatch: 'drop'`,
          `${this.#received}`,
        );
      }
      return 0;
    }
    return held;
  }

  /** Skips the samples of batches that have been trained on. */
  async #skip(batches: number): Promise<void> {
    const { batchSize } = this.#model;
    let skip = batches * batchSize;
    while (skip > 0 && (await this.#more())) {
      const count = Math.min(skip, this.#left);
      this.#from += count;
      skip -= count;
    }
    // The last batch that was trained on may have been short.
    if (skip >= batchSize && !this.#aborted) this.#refuseShorter(batches - 1);
  }

  #refuseShorter(batches: number): never {
    const samples = batches * this.#model.batchSize;
    const wanted = `more than ${samples} samples in epoch ${this.#epoch}`;
    throw new ArgumentError(
      this.#argument,
      `${wanted}, as before the run was interrupted`,
      `${this.#received}`,
    );
  }

  /** Samples of the current chunk that are in no batch yet. */
  get #left(): number {
    return this.#chunk === null ? 0 : this.#chunk.count - this.#from;
  }

  /**
   * Reads chunks until one has samples left.
   * @returns false at the end of the stream, and if the signal is aborted
   */
  async #more(): Promise<boolean> {
    while (this.#left === 0) {
      const answer = await this.#chunks!.next();
      if (answer === 'aborted') this.#aborted = true;
      if (answer === 'end' && this.#received === 0) {
        const hint = 'return a new iterator for every epoch, not one that has been read';
        throw new ArgumentError(
          this.#argument,
          `samples in epoch ${this.#epoch} (${hint})`,
          'none',
        );
      }
      if (typeof answer === 'string') return false;
      this.#chunk = readSamples(this.#argument, this.#format(), answer.chunk, 0);
      const { classNames, columns } = this.#chunk;
      this.#names = {
        classNames: this.#names.classNames ?? classNames,
        columns: this.#names.columns ?? columns,
      };
      this.#from = 0;
      this.#received += this.#chunk.count;
    }
    return true;
  }

  /** The model's format, with the names that earlier chunks have given. */
  #format(): SampleFormat {
    const { format } = this.#model;
    const { classNames, columns } = this.#names;
    return {
      ...format,
      classNames: format.classNames ?? classNames,
      columns: format.columns ?? columns,
    };
  }

  #hold(count: number): void {
    const { inputs, targets } = this.#model.format;
    const chunk = this.#chunk!;
    const [from, at] = [this.#from, this.#heldCount];
    for (const [k, { size }] of inputs.entries()) {
      const range = rangeOf(chunk.features[k], `${this.#argument}.features`, size, from, count);
      this.#held.features[k].set(range, at * size);
    }
    for (const [k, { perSample }] of targets.entries()) {
      const name = `${this.#argument}.labels or ${this.#argument}.targets`;
      const range = rangeOf(chunk.targets[k], name, perSample, from, count);
      this.#held.targets[k].set(range, at * perSample);
    }
    this.#holdWeights(count);
    this.#from += count;
    this.#heldCount += count;
  }

  /** Holds the weights of the samples; those of chunks without weights are 1. */
  #holdWeights(count: number): void {
    const { sampleWeights } = this.#chunk!;
    const held = this.#held;
    if (sampleWeights === undefined && held.sampleWeights === undefined) return;
    const [from, at] = [this.#from, this.#heldCount];
    const weights: Record<string, Float32Array> = { ...held.sampleWeights };
    for (const { name } of this.#model.format.targets) {
      const own = (weights[name] ??= new Float32Array(held.count).fill(1));
      const given = sampleWeights?.[name];
      const to = own.subarray(at, at + count);
      if (given) to.set(rangeOf(given, `${this.#argument}.sampleWeights`, 1, from, count));
      else to.fill(1);
    }
    held.sampleWeights = weights;
  }

  /** Drops the first of the samples that are held. */
  #dropHeld(count: number): void {
    const { inputs, targets } = this.#model.format;
    const held = this.#heldCount;
    for (const [k, { size }] of inputs.entries())
      this.#held.features[k].copyWithin(0, count * size, held * size);
    for (const [k, { perSample }] of targets.entries())
      this.#held.targets[k].copyWithin(0, count * perSample, held * perSample);
    for (const weights of Object.values(this.#held.sampleWeights ?? {}))
      weights.copyWithin(0, count, held);
    this.#heldCount -= count;
    this.#batch = null;
  }
}
