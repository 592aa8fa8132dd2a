/**
 * The safetensors format, read with its data. (The header: safetensors-header.ts.)
 *
 * Invariant: nothing is allocated by what a header claims, only by what the file holds. The data
 * returned are views of the file where their alignment allows it.
 */
import { fail } from '../validate';
import { CHECKSUM, checkContent } from './content-checksum';
import { DTYPES, type Dtype, type DtypeArrays, elementsOf, plainBytes } from './dtypes';
import { readHeader } from './safetensors-header';

/** A tensor that was read. */
export type SafetensorsTensor = {
  readonly [K in Dtype]: {
    readonly dtype: K;
    /** Sizes of the dimensions, outermost first; `[]` for a single number. */
    readonly shape: readonly number[];
    /** Row-major. */
    readonly data: DtypeArrays[K];
  };
}[Dtype];

/** What a file holds; both objects are without a prototype, so any name is a key like others. */
export interface SafetensorsContent {
  /** By name, in the order of their bytes. */
  tensors: Record<string, SafetensorsTensor>;
  /** Text by key, without the file's checksum; empty when the file has none. */
  metadata: Record<string, string>;
}

/** What a file holds, and whether it had a checksum that was right. */
export interface VerifiedContent extends SafetensorsContent {
  readonly verified: boolean;
}

/**
 * Reads a safetensors file.
 *
 * @param bytes the whole file; the tensors' data are views of it, except where the file has not
 *   aligned them: those are copies
 * @returns tensors and metadata by name; BF16 and F16 as raw bits in Uint16Arrays, I64 as
 *   BigInt64Array. Unknown fields of the header are ignored
 * @throws CheckpointError whose `reason` tells what is wrong: `'truncated'` (shorter than 8 bytes),
 *   `'header-too-large'` (beyond 100 MB), `'header-length'` (beyond the file), `'header-start'` (no
 *   `{`), `'utf8'`, `'json'` (or nested deeper than 128), `'duplicate-key'`, `'metadata'` (not text
 *   by key, or more than 250,000 keys), `'entry'` (no object), `'dtype'` (another than F64, I64, F32,
 *   BF16, F16, U8: `decodeSafetensorsHeader` lists those), `'shape'` (no whole numbers, or more than
 *   1,024), `'overflow'` (beyond 2^53 elements or bytes), `'offsets'`, `'range'` (beyond the data),
 *   `'size'` (not the shape's), `'overlap'`, `'hole'`, `'trailing'` (bytes after the last tensor),
 *   `'corrupt'` (a file with the checksum of `encodeSafetensors` or `encodeCheckpoint`, which it does
 *   not have any more)
 * @throws ArgumentError when `bytes` is no Uint8Array
 * @example
 * const { tensors, metadata } = decodeSafetensors(readFileSync('weights.safetensors'));
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  const { tensors, metadata } = readSafetensors(bytes);
  return { tensors, metadata };
}

/** What `decodeSafetensors` does, for decoders that need a checksum. */
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
