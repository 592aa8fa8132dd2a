/** Data to learn from and to be judged by: checked against a model, and copied into it batch by batch. */
import { BatchOrder, gatherInto, gatherLabelsInto } from '../data';
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { describe, fail } from '../validate';
import { lossKindOf } from './losses';
import type { Model } from './model';

/** Values with their sizes, the count of samples first: how embeddings come out of other libraries, and of `extractFeatures`. */
export interface FeatureTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Samples in memory; a `Dataset` is one. */
export interface Samples {
  /** count × inputSize values, row-major; or a tensor of them. */
  readonly features: Float32Array | FeatureTensor;
  /** For losses on classes: one class index a sample. */
  readonly labels?: Int32Array;
  /** For losses on values: count × outputSize values, row-major. */
  readonly targets?: Float32Array;
}

/** Samples, or a function that begins a pass over a stream of chunks of them, for data larger than memory. */
export type TrainingData = Samples | (() => AsyncIterable<Samples> | Iterable<Samples>);

/** Samples as plain arrays that fit the model. */
export interface SampleArrays {
  readonly count: number;
  readonly features: Float32Array;
  readonly labels: Int32Array | undefined;
  readonly targets: Float32Array | undefined;
}

/** What samples are checked against: a model, or as much of one. */
export type SampleFormat = Pick<Model, 'inputSize' | 'outputSize' | 'loss'>;

/** Checks samples; throws an ArgumentError naming `argument` unless they fit the model. */
export function readSamples(argument: string, format: SampleFormat, samples: unknown): SampleArrays {
  if (typeof samples !== 'object' || samples === null)
    fail(argument, 'samples: { features, labels } or { features, targets }', samples);
  const { features: given, labels, targets } = samples as Partial<Samples>;
  const { inputSize, outputSize, loss } = format;
  const features = readFeatures(`${argument}.features`, given);
  const count = features.length / inputSize;
  if (!Number.isInteger(count) || count === 0) {
    throw new ArgumentError(argument, `${inputSize} features a sample`, `${describe(features)} in all`);
  }
  if (lossKindOf(loss).targets === 'classes') {
    if (!(labels instanceof Int32Array) || labels.length !== count) {
      fail(`${argument}.labels`, `an Int32Array of ${count} elements`, labels);
    }
    const wrong = labels.findIndex((label) => label < 0 || label >= outputSize);
    if (wrong >= 0) fail(`${argument}.labels[${wrong}]`, `a class in [0, ${outputSize - 1}]`, labels[wrong]);
  } else if (!(targets instanceof Float32Array) || targets.length !== count * outputSize) {
    fail(`${argument}.targets`, `a Float32Array of ${count} × ${outputSize} elements`, targets);
  }
  return { count, features, labels, targets };
}

/** The values, whichever way they were given. */
export function readFeatures(argument: string, features: unknown): Float32Array {
  if (features instanceof Float32Array) return features;
  const { data, dims } = (features ?? {}) as Partial<FeatureTensor>;
  if (!(data instanceof Float32Array)) fail(argument, 'a Float32Array, or { data: Float32Array, dims }', features);
  const size = Array.isArray(dims) ? elementCount(dims) : Number.NaN;
  if (size !== data.length) fail(`${argument}.dims`, `sizes whose product is ${data.length}`, dims);
  return data;
}

/** Copies samples [from, from + count) into the model. */
export function loadRange(model: Model, { features, labels, targets }: SampleArrays, from: number, count: number): void {
  const { inputSize, outputSize } = model;
  model.input.set(features.subarray(from * inputSize, (from + count) * inputSize));
  if (lossKindOf(model.loss).targets === 'classes') model.labels.set(labels!.subarray(from, from + count));
  else model.targets.set(targets!.subarray(from * outputSize, (from + count) * outputSize));
}

/** Batches of training data, epoch by epoch, always in the same order for the same seed. */
export interface BatchSource {
  /** Samples an epoch; null for a stream. */
  readonly count: number | null;
  readonly batchCount: number | null;
  /** Begins an epoch (0-based) at one of its batches. */
  start(epoch: number, batch: number): Promise<void> | void;
  /** Copies the next batch into the model; its size, or 0 at the end of the epoch. */
  next(): number | Promise<number>;
}

/** @throws ArgumentError when the data do not fit the model */
export function createSource(model: Model, data: TrainingData, seed: number): BatchSource {
  if (typeof data === 'function') return new StreamSource(model, data);
  return new ArraySource(model, readSamples('data', model, data), seed);
}

/** Samples in memory, in another random order every epoch. */
class ArraySource implements BatchSource {
  readonly count: number;
  readonly batchCount: number;
  readonly #model: Model;
  readonly #samples: SampleArrays;
  readonly #order: BatchOrder;
  #batch = 0;

  constructor(model: Model, samples: SampleArrays, seed: number) {
    this.#model = model;
    this.#samples = samples;
    this.#order = new BatchOrder(samples.count, model.batchSize, seed);
    this.count = samples.count;
    this.batchCount = this.#order.batchCount;
  }

  start(epoch: number, batch: number): void {
    this.#order.startEpoch(epoch);
    this.#batch = batch;
  }

  next(): number {
    if (this.#batch === this.batchCount) return 0;
    const model = this.#model;
    const { features, labels, targets } = this.#samples;
    const { indices } = this.#order;
    const from = this.#order.from(this.#batch);
    const count = this.#order.length(this.#batch);
    this.#batch++;
    gatherInto(features, model.inputSize, indices, from, count, model.input);
    if (lossKindOf(model.loss).targets === 'classes') gatherLabelsInto(labels!, indices, from, count, model.labels);
    else gatherInto(targets!, model.outputSize, indices, from, count, model.targets);
    return count;
  }
}

/** A stream of chunks, cut into batches in the order in which they come. Where the stream is cut into chunks changes nothing. */
class StreamSource implements BatchSource {
  readonly count = null;
  readonly batchCount = null;
  readonly #model: Model;
  readonly #open: () => AsyncIterable<Samples> | Iterable<Samples>;
  /** Samples of chunks too short for a batch: copies, since a stream may use its arrays again. */
  readonly #held: SampleArrays;
  #heldCount = 0;
  #chunks: AsyncIterator<Samples> | Iterator<Samples> | null = null;
  #chunk: SampleArrays | null = null;
  #from = 0;

  constructor(model: Model, open: () => AsyncIterable<Samples> | Iterable<Samples>) {
    this.#model = model;
    this.#open = open;
    const { batchSize, inputSize, outputSize, loss } = model;
    const classes = lossKindOf(loss).targets === 'classes';
    this.#held = {
      count: batchSize,
      features: new Float32Array(batchSize * inputSize),
      labels: classes ? new Int32Array(batchSize) : undefined,
      targets: classes ? undefined : new Float32Array(batchSize * outputSize),
    };
  }

  async start(_epoch: number, batch: number): Promise<void> {
    this.#chunks = iteratorOf(this.#open());
    this.#chunk = null;
    this.#heldCount = 0;
    let skip = batch * this.#model.batchSize;
    while (skip > 0 && (await this.#more())) {
      const count = Math.min(skip, this.#left);
      this.#from += count;
      skip -= count;
    }
  }

  async next(): Promise<number> {
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
    const count = this.#heldCount;
    if (count > 0) loadRange(this.#model, this.#held, 0, count);
    this.#heldCount = 0;
    return count;
  }

  /** Samples of the chunk that no batch has had. */
  get #left(): number {
    return this.#chunk === null ? 0 : this.#chunk.count - this.#from;
  }

  /** Sees to it that the chunk has samples; false at the end of the stream. */
  async #more(): Promise<boolean> {
    while (this.#left === 0) {
      const { done, value } = await this.#chunks!.next();
      if (done) return false;
      this.#chunk = readSamples('data()', this.#model, value);
      this.#from = 0;
    }
    return true;
  }

  #hold(count: number): void {
    const { inputSize, outputSize } = this.#model;
    const { features, labels, targets } = this.#chunk!;
    const [from, to, at] = [this.#from, this.#from + count, this.#heldCount];
    this.#held.features.set(features.subarray(from * inputSize, to * inputSize), at * inputSize);
    this.#held.labels?.set(labels!.subarray(from, to), at);
    this.#held.targets?.set(targets!.subarray(from * outputSize, to * outputSize), at * outputSize);
    this.#from = to;
    this.#heldCount += count;
  }
}

function iteratorOf(stream: AsyncIterable<Samples> | Iterable<Samples>): AsyncIterator<Samples> | Iterator<Samples> {
  if (typeof stream === 'object' && stream !== null) {
    if (Symbol.asyncIterator in stream) return stream[Symbol.asyncIterator]();
    if (Symbol.iterator in stream) return stream[Symbol.iterator]();
  }
  return fail('data()', 'an iterable or async iterable of samples', stream);
}
