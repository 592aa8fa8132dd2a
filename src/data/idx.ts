/**
 * The IDX format of MNIST and its successors. The header is checked before memory is allocated.
 *
 *     0 │ 0 │ element type │ number of dimensions d      one byte each
 *     d sizes                                           u32, big-endian
 *     elements                                          big-endian, last dimension fastest
 *
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "the
 * IDX file format".
 */
import { DataError } from '../errors';
import { elementCount } from '../math/shape';
import { checkInteger, checkOptions, fail, isUint8Array, typedArrayName } from '../validate';
import { type Dataset, readNames } from './dataset';

/** Elements of an IDX file, in an array of their own type. */
export type IdxData =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Contents of an IDX file. */
export interface IdxArray {
  /** Sizes of the dimensions, outermost first. */
  shape: number[];
  /** The elements, row-major. */
  data: IdxData;
}

interface ElementType {
  byteCount: number;
  /** Reads `count` elements from `view` at `offset`. */
  read(view: DataView, offset: number, count: number): IdxData;
}

/** Element types by the third byte of the file. */
const ELEMENT_TYPES: Record<number, ElementType> = {
  8: { byteCount: 1, read: (v, at, n) => new Uint8Array(v.buffer, v.byteOffset + at, n) },
  9: { byteCount: 1, read: (v, at, n) => new Int8Array(v.buffer, v.byteOffset + at, n) },
  11: {
    byteCount: 2,
    read: (v, at, n) => filled(new Int16Array(n), (i) => v.getInt16(at + 2 * i)),
  },
  12: {
    byteCount: 4,
    read: (v, at, n) => filled(new Int32Array(n), (i) => v.getInt32(at + 4 * i)),
  },
  13: {
    byteCount: 4,
    read: (v, at, n) => filled(new Float32Array(n), (i) => v.getFloat32(at + 4 * i)),
  },
  14: {
    byteCount: 8,
    read: (v, at, n) => filled(new Float64Array(n), (i) => v.getFloat64(at + 8 * i)),
  },
};

function filled<T extends IdxData>(data: T, element: (i: number) => number): T {
  for (let i = 0; i < data.length; i++) data[i] = element(i);
  return data;
}

/**
 * Parses an IDX file, with elements of any type that the format defines: u8 (type byte 0x08), i8
 * (0x09), i16 (0x0B), i32 (0x0C), f32 (0x0D) and f64 (0x0E).
 *
 * @param bytes the whole file, uncompressed. One-byte elements are returned as a view of it, others
 *   as a copy
 * @param name name of the file in errors
 * @default name 'idx data'
 * @throws DataError for a bad magic number, an unknown element type, no dimensions, a truncated
 *   header, or a file whose length does not match its sizes
 * @throws ArgumentError if `bytes` is not a Uint8Array
 * @example parseIdx(bytes, 'train-images').shape // [60000, 28, 28]
 */
export function parseIdx(bytes: Uint8Array, name: string = 'idx data'): IdxArray {
  if (!isUint8Array(bytes)) fail('bytes', 'a Uint8Array', bytes);
  if (typeof name !== 'string') fail('name', 'a string', name);
  if (bytes.length < 4) throw wrong(name, 'a header of 4 bytes', `${bytes.length} bytes`);
  const [zero0, zero1, type, rank] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  if (zero0 === 0x1f && zero1 === 0x8b)
    throw wrong(name, 'uncompressed IDX data', 'gzip data (unpack it first)');
  if (zero0 !== 0 || zero1 !== 0)
    throw wrong(name, 'the two zero bytes of an IDX file', `${hex(zero0)} ${hex(zero1)}`);
  const elementType = ELEMENT_TYPES[type];
  if (!elementType)
    throw wrong(name, 'an element type of 0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e', hex(type));
  if (rank === 0) throw wrong(name, 'at least one dimension', '0');
  const offset = 4 + 4 * rank;
  if (bytes.length < offset)
    throw wrong(
      name,
      `${offset} bytes for the sizes of ${rank} dimensions`,
      `${bytes.length} bytes`,
    );

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.push(view.getUint32(4 + 4 * i));
  // A size of 0 makes the product 0, even if the product of the others is Infinity.
  const count = shape.includes(0) ? 0 : elementCount(shape);
  const wanted = offset + count * elementType.byteCount;
  if (wanted !== bytes.length) {
    const sizes = shape.length > 8 ? `${shape.slice(0, 8).join(' × ')} × …` : shape.join(' × ');
    const fault = bytes.length < wanted ? 'truncated' : 'trailing bytes';
    throw wrong(
      name,
      `${wanted} bytes (${sizes} elements of ${elementType.byteCount})`,
      `${bytes.length} (${fault})`,
    );
  }
  return { shape, data: elementType.read(view, offset, count) };
}

/** Options of `idxDataset`. */
export interface IdxDatasetOptions {
  /** Name of the dataset, also used in errors. */
  name: string;
  /** Number of classes, an integer in [1, 256]; labels must be below it. */
  classCount: number;
  /** Names of the classes, `classCount` of them. */
  classNames?: readonly string[];
}

/**
 * Combines an IDX file of images and one of labels into a dataset. Features are the pixels divided
 * by 255.
 *
 * @param images u8, count × height × width, or any shape of at least two dimensions
 * @param labels u8, count
 * @throws DataError if element types, dimensions or counts do not match, or a label is not below
 *   `classCount`
 * @throws ArgumentError if an argument is not a result of `parseIdx`, if `classCount` is out of
 *   range, or if `classNames` are not `classCount` distinct names
 */
export function idxDataset(
  images: IdxArray,
  labels: IdxArray,
  options: IdxDatasetOptions,
): Dataset {
  checkIdxArray('images', images);
  checkIdxArray('labels', labels);
  checkOptions('options', options, ['name', 'classCount', 'classNames']);
  const { name } = options;
  if (typeof name !== 'string') fail('name', 'a string', name);
  const classCount = checkInteger('classCount', options.classCount, 1, 256);
  const classNames = options.classNames && readNames('classNames', options.classNames);
  if (classNames && classNames.length !== classCount)
    fail('classNames', `${classCount} names`, classNames);
  if (!isUint8Array(images.data))
    throw wrong(`${name} images`, 'unsigned bytes', typedArrayName(images.data)!);
  if (!isUint8Array(labels.data))
    throw wrong(`${name} labels`, 'unsigned bytes', typedArrayName(labels.data)!);
  if (images.shape.length < 2)
    throw wrong(`${name} images`, 'at least 2 dimensions', `${images.shape.length}`);
  if (labels.shape.length !== 1)
    throw wrong(`${name} labels`, '1 dimension', `${labels.shape.length}`);
  const count = images.shape[0]!;
  if (labels.shape[0] !== count)
    throw wrong(`${name} labels`, `${count}, one for each image`, `${labels.shape[0]}`);
  if (images.data.length === 0)
    throw wrong(`${name} images`, 'at least one pixel', `shape ${images.shape.join(' × ')}`);
  const bad = labels.data.findIndex((label) => label >= classCount);
  if (bad >= 0)
    throw wrong(
      `${name} labels`,
      `labels in [0, ${classCount - 1}]`,
      `${labels.data[bad]} at index ${bad}`,
    );
  const features = new Float32Array(images.data.length);
  for (let i = 0; i < features.length; i++) features[i] = images.data[i]! / 255;
  const featureCount = features.length / count;
  const dataset: Dataset = {
    name,
    features,
    labels: Int32Array.from(labels.data),
    count,
    featureCount,
    classCount,
  };
  const [, ...sizes] = images.shape;
  if (sizes.length === 2 || sizes.length === 3)
    dataset.shape = sizes.length === 2 ? [...sizes, 1] : sizes;
  if (classNames) dataset.classNames = classNames;
  return dataset;
}

function checkIdxArray(argument: string, value: unknown): void {
  const { shape, data } = (value ?? {}) as Partial<IdxArray>;
  if (!Array.isArray(shape) || typedArrayName(data) === undefined)
    fail(argument, 'a result of parseIdx: { shape, data }', value);
  const count = shape.includes(0) ? 0 : elementCount(shape);
  if (count !== data!.length) fail(`${argument}.data`, `${shape.join(' × ')} elements`, data);
}

function wrong(name: string, expected: string, got: string): DataError {
  return new DataError(`${name}: expected ${expected}, got ${got}`);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
