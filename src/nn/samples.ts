/**
 * Data to learn from and to be judged by: checked against a model, and copied into it batch by
 * batch.
 */
import { type DatasetBase, refuseBlurredColumns } from '../data/dataset';
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { describe, fail, isFloat32Array, isInt32Array } from '../validate';
import { lossKindOf } from './losses';
import type { Model } from './model';
import { checkSameNames, type DataNames, readNames } from './training-history';

/**
 * Values with their sizes, the count of samples first: how embeddings come out of other libraries,
 * and of `extractFeatures`.
 */
export interface FeatureTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * Samples in memory; a `Dataset` is one. Names are optional: a model remembers those of the first
 * data that it was trained with, and `fit` and `evaluate` refuse data that call its classes or
 * columns by other names, or have them in another order.
 */
export interface Samples extends DataNames {
  /** count × inputSize values, row-major; or a tensor of them. */
  readonly features: Float32Array | FeatureTensor;
  /** For losses on classes: one class index a sample, in [0, outputSize). */
  readonly labels?: Int32Array;
  /**
   * For losses on values: count × outputSize finite values, row-major; for binaryCrossEntropy in
   * [0, 1].
   */
  readonly targets?: Float32Array;
}

/** What can be read chunk by chunk. */
export type ChunkStream =
  | AsyncIterable<Samples>
  | Iterable<Samples>
  | { getReader(): { read(): Promise<{ done: boolean; value?: Samples }> } };

/**
 * Samples, or a function that begins a pass over a stream of chunks of them, for data larger than
 * memory: it is called once an epoch, and returns another iterable, async iterable or
 * ReadableStream each time. Chunks may have any number of samples, also none.
 */
export type TrainingData = Samples | (() => ChunkStream);

/** Samples as plain arrays that fit the model. */
export interface SampleArrays extends DataNames {
  readonly count: number;
  readonly features: Float32Array;
  readonly labels: Int32Array | undefined;
  readonly targets: Float32Array | undefined;
}

/** What samples are checked against: a model, or as much of one. */
export type SampleFormat = Pick<Model, 'inputSize' | 'outputSize' | 'loss'> & DataNames;

/**
 * Checks samples. Arrays that another thread may write into can still change afterwards: what is
 * copied into the model is what `checkTargets` checks again.
 *
 * @param fewest samples there have to be
 * @throws ArgumentError naming `argument` unless they fit the model; DataError for a column of a
 * dataset that float32 blurs
 */
export function readSamples(
  argument: string,
  format: SampleFormat,
  samples: unknown,
  fewest = 1,
): SampleArrays {
  if (typeof samples !== 'object' || samples === null) {
    fail(argument, 'samples: { features, labels } or { features, targets }', samples);
  }
  const { features: given, labels, targets, classNames, columns } = samples as Partial<Samples>;
  const { inputSize, outputSize, loss } = format;
  const { targets: kind } = lossKindOf(loss);
  const features = readFeatures(`${argument}.features`, given);
  const count = features.length / inputSize;
  if (!Number.isInteger(count) || count < fewest) {
    throw new ArgumentError(
      argument,
      `${inputSize} features a sample`,
      `${describe(features)} in all`,
    );
  }
  if (kind === 'classes') {
    if (!isInt32Array(labels) || labels.length !== count) {
      fail(`${argument}.labels`, `an Int32Array of ${count} elements`, labels);
    }
    checkTargets(`${argument}.labels`, format, labels);
  } else {
    if (!isFloat32Array(targets) || targets.length !== count * outputSize) {
      fail(`${argument}.targets`, `a Float32Array of ${count} × ${outputSize} elements`, targets);
    }
    checkTargets(`${argument}.targets`, format, targets);
  }
  const names = readSampleNames(argument, format, { classNames, columns });
  if ((samples as Partial<DatasetBase>).doubles !== undefined)
    refuseBlurredColumns(samples as DatasetBase);
  // Data sets may have both: only what the loss is for counts.
  const own = kind === 'classes' ? { labels, targets: undefined } : { labels: undefined, targets };
  return { count, features, ...own, ...names };
}

/**
 * Names for which there is a use, checked.
 * @throws ArgumentError for what are no names, or others than the model's
 */
export function readSampleNames(
  argument: string,
  format: SampleFormat,
  names: DataNames,
): DataNames {
  // Data sets of values may list the distinct ones as names: they are no classes then.
  const { targets: kind } = lossKindOf(format.loss);
  const classNames =
    kind === 'classes' ? readNames(`${argument}.classNames`, names.classNames) : undefined;
  const columns = readNames(`${argument}.columns`, names.columns);
  if (columns !== undefined && columns.length !== format.inputSize) {
    throw new ArgumentError(
      `${argument}.columns`,
      `${format.inputSize} names, one a feature`,
      `${columns.length}`,
    );
  }
  checkSameNames(`${argument}.classNames`, classNames, format.classNames);
  checkSameNames(`${argument}.columns`, columns, format.columns);
  return { ...(classNames && { classNames }), ...(columns && { columns }) };
}

/** Throws an ArgumentError naming the first label or target for which the loss is not defined. */
export function checkTargets(
  argument: string,
  { loss, outputSize }: Pick<SampleFormat, 'loss' | 'outputSize'>,
  targets: Int32Array | Float32Array,
): void {
  const kind = lossKindOf(loss);
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!kind.accepts(target, outputSize))
      fail(`${argument}[${index}]`, kind.accepted(outputSize), target);
  }
}

/** The values, whichever way they were given. */
export function readFeatures(argument: string, features: unknown): Float32Array {
  if (isFloat32Array(features)) return features;
  const { data, dims } = (features ?? {}) as Partial<FeatureTensor>;
  if (!isFloat32Array(data))
    fail(argument, 'a Float32Array, or { data: Float32Array, dims }', features);
  const size = Array.isArray(dims) ? elementCount(dims) : Number.NaN;
  if (size !== data.length) fail(`${argument}.dims`, `sizes whose product is ${data.length}`, dims);
  return data;
}

/** Copies samples [from, from + count) into the model. */
export function loadRange(model: Model, samples: SampleArrays, from: number, count: number): void {
  const { inputSize, outputSize } = model;
  model.input.set(rangeOf(samples.features, 'features', inputSize, from, count));
  if (samples.labels) model.labels.set(rangeOf(samples.labels, 'labels', 1, from, count));
  if (samples.targets)
    model.targets.set(rangeOf(samples.targets, 'targets', outputSize, from, count));
}

/**
 * Elements of samples [from, from + count) of an array with so many a sample.
 * @throws ArgumentError when the array no longer has them
 */
export function rangeOf<T extends Float32Array | Int32Array>(
  array: T,
  name: string,
  perSample: number,
  from: number,
  count: number,
): T {
  checkLength(array, name, (from + count) * perSample);
  return array.subarray(from * perSample, (from + count) * perSample) as T;
}

/**
 * Throws an ArgumentError for an array whose buffer was transferred or made smaller since it was
 * checked.
 */
export function checkLength(array: Float32Array | Int32Array, name: string, length: number): void {
  if (array.length >= length) return;
  fail(
    name,
    'an array that keeps its length while it is in use (was its buffer transferred?)',
    array,
  );
}
