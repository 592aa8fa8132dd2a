/**
 * Minibatches: a random order of the examples that depends only on (seed, epoch), and copying of
 * rows. Batches allocate nothing.
 */
import { Prng, STREAM_BATCHES } from '../math/prng';
import { checkInteger, fail, isFloat32Array, isInt32Array, isTypedArray } from '../validate';

/**
 * Order in which an epoch visits the examples, split into batches.
 *
 * Each epoch is a random permutation that depends only on (seed, epoch), so training can resume at
 * any epoch. Every example is visited once per epoch; the last batch is short if `batchSize` does
 * not divide `count`.
 *
 * @example
 * const order = new BatchOrder(dataset.count, 32, 1);
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   order.startEpoch(epoch);
 *   for (let batch = 0; batch < order.batchCount; batch++) {
 *     const [from, length] = [order.from(batch), order.length(batch)];
 *     gatherRowsInto(dataset.features, dataset.featureCount, order.indices, from, length, inputs);
 *     gatherLabelsInto(dataset.labels, order.indices, from, length, labels);
 *   }
 * }
 */
export class BatchOrder {
  /** Examples per epoch. */
  readonly count: number;
  /** Examples per batch; the last batch may have fewer. */
  readonly batchSize: number;
  /** Batches per epoch. */
  readonly batchCount: number;
  /** Permutation of 0 … count - 1 of the current epoch. `startEpoch` rewrites it in place. */
  readonly indices: Uint32Array;
  readonly #seed: number;
  readonly #prng: Prng;

  /**
   * Creates the order and starts epoch 0.
   *
   * @param count number of examples, an integer in [1, 2^32 - 1]
   * @param batchSize an integer ≥ 1; more than `count` gives one short batch
   * @param seed an integer in [0, 2^53 - 1]
   * @throws ArgumentError for other arguments
   */
  constructor(count: number, batchSize: number, seed: number) {
    this.count = checkInteger('count', count, 1, 4294967295);
    this.batchSize = checkInteger('batchSize', batchSize, 1, Number.MAX_SAFE_INTEGER);
    this.batchCount = Math.ceil(count / batchSize);
    this.#seed = seed;
    this.#prng = new Prng(seed);
    this.indices = new Uint32Array(count);
    this.startEpoch(0);
  }

  /**
   * Writes the permutation of an epoch into `indices`.
   *
   * @param epoch an integer in [0, 2^50]; epochs may be visited in any order
   * @throws ArgumentError for another epoch
   */
  startEpoch(epoch: number): void {
    checkInteger('epoch', epoch, 0, 1125899906842624);
    this.#prng.restore([this.#seed, STREAM_BATCHES + epoch, 0]);
    for (let i = 0; i < this.count; i++) this.indices[i] = i;
    this.#prng.shuffle(this.indices);
  }

  /**
   * Returns the position in `indices` at which a batch starts.
   *
   * @param batch an integer in [0, batchCount)
   * @throws ArgumentError for another batch
   */
  from(batch: number): number {
    return checkInteger('batch', batch, 0, this.batchCount - 1) * this.batchSize;
  }

  /**
   * Returns the number of examples in a batch: `batchSize`, or fewer for the last batch.
   *
   * @param batch an integer in [0, batchCount)
   * @throws ArgumentError for another batch
   */
  length(batch: number): number {
    return Math.min(this.batchSize, this.count - this.from(batch));
  }
}

/**
 * Copies rows: for k in [0, length), row k of `out` becomes row indices[from + k] of `features`.
 *
 * @param features rows × featureCount values, row-major
 * @param featureCount values per row, ≥ 1
 * @param indices row numbers
 * @param from position of the first index to use
 * @param length number of indices to use
 * @param out at least length × featureCount values; further ones are not changed
 * @throws ArgumentError for arrays of another type, for a range that does not fit, and for an index
 *   without a row; `out` may then be partly written
 */
export function gatherRowsInto(
  features: Float32Array,
  featureCount: number,
  indices: Uint32Array,
  from: number,
  length: number,
  out: Float32Array,
): void {
  if (!isFloat32Array(features)) fail('features', 'a Float32Array', features);
  checkInteger('featureCount', featureCount, 1, Number.MAX_SAFE_INTEGER);
  if (!isFloat32Array(out)) fail('out', 'a Float32Array', out);
  checkRange(indices, from, length);
  if (out.length < length * featureCount)
    fail('out', `at least ${length} × ${featureCount} values`, out);
  const rows = Math.floor(features.length / featureCount);
  let to = 0;
  for (let k = from; k < from + length; k++) {
    const row = indices[k]!;
    if (row >= rows) fail(`indices[${k}]`, `an integer in [0, ${rows - 1}]`, row);
    const first = row * featureCount;
    for (let j = 0; j < featureCount; j++) out[to++] = features[first + j]!;
  }
}

/**
 * Copies labels: for k in [0, length), out[k] becomes labels[indices[from + k]].
 *
 * @param out at least length × perExample values; further ones are not changed
 * @param perExample labels per example, such as one per step: an integer ≥ 1; row k of `out`
 *   becomes row indices[from + k] of `labels`. @default 1
 * @throws ArgumentError for arrays of another type, for a range that does not fit, and for an index
 *   without a label; `out` may then be partly written
 */
export function gatherLabelsInto(
  labels: Int32Array,
  indices: Uint32Array,
  from: number,
  length: number,
  out: Int32Array,
  perExample = 1,
): void {
  if (!isInt32Array(labels)) fail('labels', 'an Int32Array', labels);
  if (!isInt32Array(out)) fail('out', 'an Int32Array', out);
  checkInteger('perExample', perExample, 1, Number.MAX_SAFE_INTEGER);
  checkRange(indices, from, length);
  if (out.length < length * perExample) fail('out', `at least ${length * perExample} values`, out);
  const rows = Math.floor(labels.length / perExample);
  for (let k = 0; k < length; k++) {
    const row = indices[from + k]!;
    if (row >= rows) fail(`indices[${from + k}]`, `an integer in [0, ${rows - 1}]`, row);
    for (let j = 0; j < perExample; j++) out[k * perExample + j] = labels[row * perExample + j]!;
  }
}

function checkRange(indices: Uint32Array, from: number, length: number): void {
  if (!isTypedArray('Uint32Array', indices)) fail('indices', 'a Uint32Array', indices);
  checkInteger('from', from, 0, indices.length);
  checkInteger('length', length, 0, indices.length - from);
}
