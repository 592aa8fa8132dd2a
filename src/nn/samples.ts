/** Data to learn from and to be judged by: checked against a model, and copied into it batch by batch. */
import { BatchOrder, gatherInto, gatherLabelsInto } from '../data';
import { ArgumentError } from '../errors';
import { describe, fail } from '../validate';
import { lossKindOf } from './losses';
import type { Model } from './model';

/** Samples in memory; a `Dataset` is one. */
export interface Samples {
  /** count × inputSize values, row-major. */
  readonly features: Float32Array;
  /** For losses on classes: one class index a sample. */
  readonly labels?: Int32Array;
  /** For losses on values: count × outputSize values, row-major. */
  readonly targets?: Float32Array;
}

/** Samples, or a function that begins a pass over a stream of chunks of them, for data larger than memory. */
export type TrainingData = Samples | (() => AsyncIterable<Samples> | Iterable<Samples>);

/** How many samples; throws an ArgumentError naming `argument` unless they fit the model. */
export function checkSamples(argument: string, model: Model, samples: unknown): number {
  if (typeof samples !== 'object' || samples === null)
    fail(argument, 'samples: { features, labels } or { features, targets }', samples);
  const { features, labels, targets } = samples as Partial<Samples>;
  const { inputSize, outputSize, loss } = model;
  if (!(features instanceof Float32Array)) fail(`${argument}.features`, 'a Float32Array', features);
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
  return count;
}

/** Copies samples [from, from + count) into the model. */
export function loadRange(model: Model, { features, labels, targets }: Samples, from: number, count: number): void {
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
  return new ArraySource(model, data, checkSamples('data', model, data), seed);
}

/** Samples in memory, in another random order every epoch. */
class ArraySource implements BatchSource {
  readonly count: number;
  readonly batchCount: number;
  readonly #model: Model;
  readonly #samples: Samples;
  readonly #order: BatchOrder;
  #batch = 0;

  constructor(model: Model, samples: Samples, count: number, seed: number) {
    this.#model = model;
    this.#samples = samples;
    this.#order = new BatchOrder(count, model.batchSize, seed);
    this.count = count;
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

/** A stream of chunks, cut into batches in the order in which they come; a batch never spans two chunks. */
class StreamSource implements BatchSource {
  readonly count = null;
  readonly batchCount = null;
  readonly #model: Model;
  readonly #open: () => AsyncIterable<Samples> | Iterable<Samples>;
  #chunks: AsyncIterator<Samples> | Iterator<Samples> | null = null;
  #chunk: Samples | null = null;
  #size = 0;
  #from = 0;

  constructor(model: Model, open: () => AsyncIterable<Samples> | Iterable<Samples>) {
    this.#model = model;
    this.#open = open;
  }

  async start(_epoch: number, batch: number): Promise<void> {
    this.#chunks = iteratorOf(this.#open());
    this.#chunk = null;
    for (let skipped = 0; skipped < batch; skipped++) if ((await this.#take()) === 0) return;
  }

  async next(): Promise<number> {
    const count = await this.#take();
    if (count > 0) loadRange(this.#model, this.#chunk!, this.#from - count, count);
    return count;
  }

  /** Passes over the next batch; its size, or 0 at the end. It lies in `#chunk`, just before `#from`. */
  async #take(): Promise<number> {
    while (this.#chunk === null || this.#from === this.#size) {
      const { done, value } = await this.#chunks!.next();
      if (done) return 0;
      this.#size = checkSamples('data()', this.#model, value);
      this.#chunk = value;
      this.#from = 0;
    }
    const count = Math.min(this.#model.batchSize, this.#size - this.#from);
    this.#from += count;
    return count;
  }
}

function iteratorOf(stream: AsyncIterable<Samples> | Iterable<Samples>): AsyncIterator<Samples> | Iterator<Samples> {
  if (typeof stream === 'object' && stream !== null) {
    if (Symbol.asyncIterator in stream) return stream[Symbol.asyncIterator]();
    if (Symbol.iterator in stream) return stream[Symbol.iterator]();
  }
  return fail('data()', 'an iterable or async iterable of samples', stream);
}
