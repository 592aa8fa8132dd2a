/**
 * Samples for training and evaluation: their types, their checks, and copying them into a model.
 */
import { type DatasetBase, refuseBlurredColumns } from '../data/dataset';
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { checkOptions, describe, fail, isFloat32Array, isInt32Array } from '../validate';
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

/** The values of one input, row-major, or a tensor of them. */
export type FeatureValues = Float32Array | FeatureTensor;

/**
 * Samples in memory, such as a `Dataset`. A model with one input and one loss takes plain arrays; a
 * graph with more takes records of arrays, by the names of its inputs and outputs.
 *
 * Names are optional. A model remembers the names of the first data that it was trained with; `fit`
 * and `evaluate` then refuse data whose classes or columns have other names, or the same names in
 * another order.
 */
export interface Samples extends DataNames {
  /**
   * Samples × inputSize values, row-major, or a tensor of them; of several inputs, by name. They
   * should be finite, which is not checked: a NaN makes the outputs of its sample NaN and an
   * optimizer refuse its batch, but an activation may turn an infinity into its limit.
   */
  readonly features: FeatureValues | Readonly<Record<string, FeatureValues>>;
  /**
   * Classes, for losses on classes: one index in [0, classes) per sample, or per position if the
   * output has more axes than the classes; of several outputs, by name.
   */
  readonly labels?: Int32Array | Readonly<Record<string, Int32Array>>;
  /**
   * Target values, for losses on values: samples × outputSize finite values, row-major; in [0, 1]
   * for binaryCrossEntropy and categoricalCrossEntropy; of several outputs, by name.
   */
  readonly targets?: Float32Array | Readonly<Record<string, Float32Array>>;
  /**
   * Weights of the samples, one each, in [0, ∞): the loss ℓ and gradient of a sample are multiplied
   * by its weight w. The mean is Σ w·ℓ / n, as in Keras, or Σ w·ℓ / Σ w for a loss with the
   * reduction 'weighted-mean'. Of several outputs, all have these weights, or those given by name.
   * Metrics other than the loss do not use them.
   * @default all 1
   */
  readonly sampleWeights?: SampleWeights;
}

/** Weights of samples, one each: for all outputs, or by the names of outputs. */
export type SampleWeights = Float32Array | Readonly<Record<string, Float32Array>>;

/** Weights of samples by the names of outputs; those of others are all 1. */
export type WeightsByOutput = Readonly<Record<string, Float32Array>>;

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
  /** Values of the inputs, in their order. */
  readonly features: readonly Float32Array[];
  /** Labels or targets of the outputs that have a loss, in their order. */
  readonly targets: readonly (Int32Array | Float32Array)[];
  /** Absent if all are 1. */
  readonly sampleWeights?: WeightsByOutput | undefined;
}

/** An input that samples must fit. */
export interface InputFormat {
  readonly name: string;
  /** Values per sample. */
  readonly size: number;
}

/** An output with a loss, whose targets samples must have. */
export interface TargetFormat {
  readonly name: string;
  /** Outputs per position: classes, for losses over classes. */
  readonly size: number;
  /** Positions per sample that a loss over classes treats one by one. */
  readonly positions: number;
  readonly loss: Loss;
  /** Targets per sample. */
  readonly perSample: number;
}

/** The properties of a model that samples must fit, as plain data. */
export interface SampleFormat extends DataNames {
  readonly inputs: readonly InputFormat[];
  readonly targets: readonly TargetFormat[];
}

/** The arrays of a model that a batch is copied into, in the order of a SampleArrays. */
export interface BatchArrays {
  readonly features: readonly Float32Array[];
  readonly targets: readonly (Int32Array | Float32Array)[];
}

const isOnClasses = ({ loss }: TargetFormat) => lossKindOf(loss).targets === 'classes';

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
  // Data sets have fields of their own, so that unknown ones pass; but lost weights would not show.
  for (const key of Object.keys(samples)) {
    if (key !== 'sampleWeights' && /^(sample|class)?_?weights?$/i.test(key))
      fail(`${argument}.${key}`, 'weights of samples to be named sampleWeights', undefined);
  }
  const { features: given, classNames, columns, sampleWeights } = samples as Partial<Samples>;
  const { count, features } = readInputs(`${argument}.features`, format, given, fewest, argument);
  const targets = readTargets(argument, format, samples as Partial<Samples>, count);
  const names = readSampleNames(argument, format, { classNames, columns });
  if ((samples as Partial<DatasetBase>).doubles !== undefined)
    refuseBlurredColumns(samples as DatasetBase);
  const path = `${argument}.sampleWeights`;
  const weights = readSampleWeights(path, format, sampleWeights, count);
  return { count, features, targets, ...names, ...(weights && { sampleWeights: weights }) };
}

/**
 * Splits samples in memory: the last ones, about the share `held`, come second. The arrays are
 * views.
 * @throws ArgumentError for a stream, and if either part would have no samples
 */
export function splitLast(
  argument: string,
  format: SampleFormat,
  data: unknown,
  held: number,
): [Samples, Samples] {
  if (typeof data === 'function')
    fail('validationSplit', 'nothing for a stream, which has no last samples', held);
  const arrays = readSamples(argument, format, data);
  const { count } = arrays;
  const kept = Math.floor(count * (1 - held));
  if (kept === 0 || kept === count)
    fail('validationSplit', `a share that splits ${count} samples in two`, held);
  const { inputs, targets } = format;
  const part = (from: number, to: number): Samples =>
    toSamples(format, {
      ...arrays,
      count: to - from,
      features: arrays.features.map((array, k) => rowsOf(array, inputs[k].size, from, to)),
      targets: arrays.targets.map((array, k) => rowsOf(array, targets[k].perSample, from, to)),
      sampleWeights: mapWeights(arrays.sampleWeights, (weights) => weights.subarray(from, to)),
    });
  return [part(0, kept), part(kept, count)];
}

/** Returns weights by output after a function of each array; undefined for none. */
export function mapWeights(
  weights: WeightsByOutput | undefined,
  change: (weights: Float32Array, name: string) => Float32Array,
): WeightsByOutput | undefined {
  return (
    weights &&
    Object.fromEntries(Object.entries(weights).map(([name, own]) => [name, change(own, name)]))
  );
}

function rowsOf<T extends Float32Array | Int32Array>(
  array: T,
  size: number,
  from: number,
  to: number,
): T {
  return array.subarray(from * size, to * size) as T;
}

/**
 * Checks weights of samples.
 * @param atLeast whether there may be more than `count`
 * @returns those by output; undefined if there are none
 * @throws ArgumentError unless there is one for each sample, in [0, ∞)
 */
export function readSampleWeights(
  argument: string,
  { targets }: Pick<SampleFormat, 'targets'>,
  given: unknown,
  count: number,
  atLeast = false,
): WeightsByOutput | undefined {
  if (given === undefined) return undefined;
  const names = targets.map(({ name }) => name);
  const check = (path: string, weights: unknown): Float32Array => {
    if (!isFloat32Array(weights) || weights.length < count || (!atLeast && weights.length > count))
      fail(path, `a Float32Array of ${atLeast ? 'at least ' : ''}${count} elements`, weights);
    for (let i = 0; i < count; i++)
      if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY))
        fail(`${path}[${i}]`, 'a weight in [0, ∞)', weights[i]);
    return weights;
  };
  if (ArrayBuffer.isView(given)) {
    const weights = check(argument, given);
    return Object.fromEntries(names.map((name) => [name, weights]));
  }
  if (typeof given !== 'object' || Array.isArray(given))
    fail(argument, `a Float32Array, or one by output: { ${names.join(', ')} }`, given);
  checkOptions(argument, given, names, 'output');
  const entries = Object.entries(given as object);
  return Object.fromEntries(
    entries.map(([name, own]) => [name, check(`${argument}.${name}`, own)]),
  );
}

/** Returns samples in the form that users pass, whose arrays are those of `samples`. */
export function toSamples(
  { inputs, targets: formats }: SampleFormat,
  { features, targets, classNames, columns, sampleWeights }: SampleArrays,
): Samples {
  const labels: Record<string, Int32Array> = {};
  const values: Record<string, Float32Array> = {};
  for (const [index, format] of formats.entries()) {
    if (isOnClasses(format)) labels[format.name] = targets[index] as Int32Array;
    else values[format.name] = targets[index] as Float32Array;
  }
  return {
    features: Object.fromEntries(inputs.map(({ name }, index) => [name, features[index]])),
    labels,
    targets: values,
    ...(classNames && { classNames }),
    ...(columns && { columns }),
    ...(sampleWeights && { sampleWeights }),
  };
}

/**
 * Checks the values of every input: of the only one directly, or of each by name.
 * @param path names the features in errors, and `whole` the samples
 * @throws ArgumentError unless they are a whole number of samples, at least `fewest`
 */
export function readInputs(
  path: string,
  { inputs }: Pick<SampleFormat, 'inputs'>,
  given: unknown,
  fewest: number,
  whole: string = path,
): { count: number; features: Float32Array[] } {
  const alone = inputs.length === 1 && !hasField(given, inputs[0].name);
  const record = alone ? null : recordOf(path, given, inputs);
  const features = inputs.map(({ name }) =>
    record ? readFeatures(`${path}.${name}`, record[name]) : readFeatures(path, given),
  );
  const [{ name, size }] = inputs;
  const count = features[0].length / size;
  if (!Number.isInteger(count) || count < fewest) {
    const where = alone ? whole : `${path}.${name}`;
    throw new ArgumentError(where, `${size} values per sample`, `${describe(features[0])} in all`);
  }
  for (const [index, input] of inputs.entries()) {
    if (features[index].length !== count * input.size) {
      const expected = `a Float32Array of ${count} × ${input.size} elements`;
      fail(`${path}.${input.name}`, expected, features[index]);
    }
  }
  return { count, features };
}

/** Tells whether a value is a record with that key, rather than an array or tensor. */
function hasField(value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return Object.hasOwn(value, key) && !('dims' in value);
}

/** Checks that a record has a field for every name, and no others. */
function recordOf(
  argument: string,
  value: unknown,
  formats: readonly { readonly name: string }[],
): Record<string, unknown> {
  const names = formats.map(({ name }) => name);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value))
    fail(argument, `arrays by name: { ${names.join(', ')} }`, value);
  checkOptions(argument, value, names, 'name');
  return value as Record<string, unknown>;
}

/** Returns the labels or targets of every output with a loss. */
function readTargets(
  argument: string,
  { targets: formats }: SampleFormat,
  { labels, targets }: Partial<Samples>,
  count: number,
): (Int32Array | Float32Array)[] {
  // Data sets may have both: only what the losses are for counts.
  const given = { labels, targets };
  return formats.map((format) => {
    const classes = isOnClasses(format);
    const field = classes ? 'labels' : 'targets';
    const path = `${argument}.${field}`;
    if (formats.length === 1 && !hasField(given[field], format.name))
      return readTarget(path, format, given[field], count);
    const alike = formats.filter((other) => isOnClasses(other) === classes);
    const array = recordOf(path, given[field], alike)[format.name];
    return readTarget(`${path}.${format.name}`, format, array, count);
  });
}

function readTarget(
  path: string,
  format: TargetFormat,
  array: unknown,
  count: number,
): Int32Array | Float32Array {
  const { perSample } = format;
  const length = count * perSample;
  if (isOnClasses(format)) {
    if (!isInt32Array(array) || array.length !== length)
      fail(path, `an Int32Array of ${length} elements${positionHint(format)}`, array);
    checkTargets(path, format, array);
    return array;
  }
  if (!isFloat32Array(array) || array.length !== length)
    fail(path, `a Float32Array of ${count} × ${perSample} elements`, array);
  checkTargets(path, format, array);
  return array;
}

/** Returns the reason why a sample has several labels, if it does. */
function positionHint({ positions }: TargetFormat): string {
  if (positions === 1) return '';
  return ` (${positions} a sample: the output's last axis are the classes; flatten() for one)`;
}

/**
 * Checks the names of samples and returns those that apply to the model's losses. Columns are
 * those of all inputs in their order.
 * @throws ArgumentError for values that are no names, and for other names than the model's
 */
export function readSampleNames(
  argument: string,
  format: SampleFormat,
  names: DataNames,
): DataNames {
  // For a loss on values, a data set may list the distinct values as names; these are no classes.
  const classNames = format.targets.some(isOnClasses)
    ? readNames(`${argument}.classNames`, names.classNames)
    : undefined;
  const columns = readNames(`${argument}.columns`, names.columns);
  const inputSize = format.inputs.reduce((sum, { size }) => sum + size, 0);
  if (columns !== undefined && columns.length !== inputSize) {
    throw new ArgumentError(
      `${argument}.columns`,
      `${inputSize} names, one a feature`,
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
  { loss, size }: Pick<TargetFormat, 'loss' | 'size'>,
  targets: Int32Array | Float32Array,
): void {
  const kind = lossKindOf(loss);
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    if (!kind.accepts(target, size, loss))
      fail(`${argument}[${index}]`, kind.accepted(size, loss), target);
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

/**
 * Copies samples [from, from + count) into a model's batch.
 * @returns views of their weights, if they have any
 */
export function loadRange(
  model: { readonly batch: BatchArrays; readonly format: SampleFormat },
  samples: SampleArrays,
  from: number,
  count: number,
): WeightsByOutput | undefined {
  const { format, batch } = model;
  for (let k = 0; k < format.inputs.length; k++) {
    const { size } = format.inputs[k];
    batch.features[k].set(rangeOf(samples.features[k], 'features', size, from, count));
  }
  for (let k = 0; k < samples.targets.length; k++) {
    const { perSample } = format.targets[k];
    const range = rangeOf(samples.targets[k], 'labels or targets', perSample, from, count);
    batch.targets[k].set(range);
  }
  return mapWeights(samples.sampleWeights, (weights) =>
    rangeOf(weights, 'sampleWeights', 1, from, count),
  );
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
