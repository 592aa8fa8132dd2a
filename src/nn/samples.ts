/**
 * Samples for training and evaluation: their types, their checks, and copying them into a model.
 */
import { type DatasetBase, refuseBlurredColumns } from '../data/dataset';
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { describe, fail, isFloat32Array, isInt32Array } from '../validate';
import { type Loss, lossKindOf } from './losses';
import { checkSameNames, type DataNames, readNames } from './training-history';

/**
 * Features with their shape, as `extractFeatures` returns them and other libraries return
 * embeddings.
 */
export interface FeatureTensor {
  /** Values, row-major. */
  readonly data: Float32Array;
  /** Sizes, the number of samples first: [samples, ...shape of a sample]. */
  readonly dims: readonly number[];
}

/**
 * Samples in memory, such as a `Dataset`. Names are optional. A model remembers the names of the
 * first data that it was trained with; `fit` and `evaluate` then refuse data whose classes or
 * columns have other names, or the same names in another order.
 */
export interface Samples extends DataNames {
  /** Samples × inputSize values, row-major, or a tensor of them. */
  readonly features: Float32Array | FeatureTensor;
  /** Classes, for losses on classes: one index in [0, outputSize) per sample. */
  readonly labels?: Int32Array;
  /**
   * Target values, for losses on values: samples × outputSize finite values, row-major; in [0, 1]
   * for binaryCrossEntropy.
   */
  readonly targets?: Float32Array;
}

/** Samples that are read chunk by chunk. */
export type ChunkStream =
  | AsyncIterable<Samples>
  | Iterable<Samples>
  | { getReader(): { read(): Promise<{ done: boolean; value?: Samples }> } };

/**
 * Samples in memory, or, for data larger than memory, a function that opens a stream of chunks.
 * `fit` calls it once per epoch; every call must return a new iterable, async iterable or
 * ReadableStream. Chunks may have any number of samples, even none.
 */
export type TrainingData = Samples | (() => ChunkStream);

/** Samples that fit the model, as plain arrays. */
export interface SampleArrays extends DataNames {
  readonly count: number;
  readonly features: Float32Array;
  readonly labels: Int32Array | undefined;
  readonly targets: Float32Array | undefined;
}

/** The properties of a model that samples must fit. */
export interface SampleFormat extends DataNames {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly loss: Loss;
}

/** The arrays of a model that a batch is copied into. */
interface BatchArrays {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly input: Float32Array;
  readonly labels: Int32Array;
  readonly targets: Float32Array;
}

/** Returns the sample format of a model as plain data. */
export function formatOf(model: SampleFormat): SampleFormat {
  const { inputSize, outputSize, loss, classNames, columns } = model;
  return { inputSize, outputSize, loss, classNames, columns };
}

/**
 * Checks that samples fit a model. Another thread may still change arrays over shared memory
 * afterwards, so the model checks the targets that were copied into it again.
 *
 * @param fewest the smallest number of samples that is allowed
 * @throws ArgumentError naming `argument` for samples that do not fit; DataError for a column of a
 * dataset that float32 cannot tell apart
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
 * Checks the names of samples and returns those that apply to the model's loss.
 * @throws ArgumentError for values that are no names, and for other names than the model's
 */
export function readSampleNames(
  argument: string,
  format: SampleFormat,
  names: DataNames,
): DataNames {
  // For a loss on values, a data set may list the distinct values as names; these are no classes.
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

/**
 * Checks labels or targets.
 * @throws ArgumentError naming the first one for which the loss is not defined
 */
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

/** Returns the values of features, given as an array or as a tensor. */
export function readFeatures(argument: string, features: unknown): Float32Array {
  if (isFloat32Array(features)) return features;
  const { data, dims } = (features ?? {}) as Partial<FeatureTensor>;
  if (!isFloat32Array(data))
    fail(argument, 'a Float32Array, or { data: Float32Array, dims }', features);
  const size = Array.isArray(dims) ? elementCount(dims) : Number.NaN;
  if (size !== data.length) fail(`${argument}.dims`, `sizes whose product is ${data.length}`, dims);
  return data;
}

/** Copies samples [from, from + count) into a model's batch. */
export function loadRange(
  model: BatchArrays,
  samples: SampleArrays,
  from: number,
  count: number,
): void {
  const { inputSize, outputSize } = model;
  model.input.set(rangeOf(samples.features, 'features', inputSize, from, count));
  if (samples.labels) model.labels.set(rangeOf(samples.labels, 'labels', 1, from, count));
  if (samples.targets)
    model.targets.set(rangeOf(samples.targets, 'targets', outputSize, from, count));
}

/**
 * Returns a view of samples [from, from + count) of an array with `perSample` elements per sample.
 * @throws ArgumentError if the array no longer has them
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
 * Checks that an array still has its elements.
 * @throws ArgumentError if its buffer has been transferred or made smaller since
 */
export function checkLength(array: Float32Array | Int32Array, name: string, length: number): void {
  if (array.length >= length) return;
  fail(
    name,
    'an array that keeps its length while it is in use (was its buffer transferred?)',
    array,
  );
}
