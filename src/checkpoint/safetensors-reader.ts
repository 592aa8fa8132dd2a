/**
 * Decoding of whole safetensors files. (safetensors-header.ts decodes the header alone.)
 *
 * Invariant: memory use is bounded by the size of the file, never by the numbers in its header.
 * Tensors are views of the file if their alignment allows it.
 */
import { fail } from '../validate';
import { CHECKSUM, checkContent } from './content-checksum';
import { DTYPES, type Dtype, type DtypeArrays, elementsOf, plainBytes } from './dtypes';
import { readHeader } from './safetensors-header';

/** A decoded tensor. */
export type SafetensorsTensor = {
  readonly [K in Dtype]: {
    readonly dtype: K;
    /** Sizes of the dimensions, outermost first; `[]` for a single number. */
    readonly shape: readonly number[];
    /** The elements, row-major. BF16 and F16 are raw bits. */
    readonly data: DtypeArrays[K];
  };
}[Dtype];

/** Contents of a safetensors file. Both objects have no prototype, so any name is a safe key. */
export interface SafetensorsContent {
  /** Tensors by name, in the order of their data. */
  tensors: Record<string, SafetensorsTensor>;
  /** Metadata texts by key, without the checksum; empty if the file has none. */
  metadata: Record<string, string>;
}

/** Contents of a file, and whether the file had a checksum. (A wrong one throws.) */
export interface VerifiedContent extends SafetensorsContent {
  readonly verified: boolean;
}

/**
 * Decodes a safetensors file.
 *
 * @param bytes the whole file
 * @returns tensors and metadata by name. The data are views of `bytes`, or copies if the file has
 *   not aligned them. BF16 and F16 are raw bits in a Uint16Array, I64 is a BigInt64Array. Unknown
 *   fields of the header are ignored
 * @throws CheckpointError with one of these reasons:
 *   - `'truncated'`: the file has less than 8 bytes
 *   - `'header-too-large'`, `'header-length'`, `'header-start'`: the header has more than 100 MB,
 *     is longer than the file, or does not start with `{`
 *   - `'utf8'`, `'json'`, `'duplicate-key'`: the header is not UTF-8, is not JSON (or is nested
 *     more than 128 deep), or has a key twice
 *   - `'metadata'`: a metadata value is not a string, or there are more than 250,000 keys
 *   - `'entry'`: a tensor is not an object
 *   - `'dtype'`: an element type other than F64, I64, F32, BF16, F16 and U8
 *     (`decodeSafetensorsHeader` lists those)
 *   - `'shape'`, `'overflow'`: a shape is not an array of at most 1,024 integers, or has more than
 *     2^53 elements or bytes
 *   - `'offsets'`, `'range'`, `'size'`: data offsets are malformed, lie beyond the file, or do not
 *     match the shape
 *   - `'overlap'`, `'hole'`, `'trailing'`: tensors overlap, leave a gap, or end before the file
 *     does
 *   - `'corrupt'`: the file has a checksum (see `encodeSafetensors`) that does not match
 * @throws ArgumentError if `bytes` is not a Uint8Array
 * @example
 * const { tensors, metadata } = decodeSafetensors(readFileSync('weights.safetensors'));
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  const { tensors, metadata } = readSafetensors(bytes);
  return { tensors, metadata };
}

/** Does the same as `decodeSafetensors`, and tells whether the file had a checksum. */
export function readSafetensors(bytes: Uint8Array): VerifiedContent {
  const file = plainBytes(bytes) ?? fail('bytes', 'a Uint8Array', bytes);
  const { entries, metadata } = readHeader(file, file.length, DTYPES);
  const tensors: Record<string, SafetensorsTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of entries) {
    const data = elementsOf(dtype as Dtype, file, begin, end);
    tensors[name] = { dtype, shape, data } as SafetensorsTensor;
  }
  const expected = metadata[CHECKSUM];
  if (expected === undefined) return { tensors, metadata, verified: false };
  delete metadata[CHECKSUM];
  checkContent(
    expected,
    entries.map(({ name }) => ({ name, ...tensors[name]! })),
    metadata,
  );
  return { tensors, metadata, verified: true };
}
