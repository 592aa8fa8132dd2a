/**
 * The safetensors format, read: files are hostile until each field has been checked.
 *
 * Invariant: nothing is allocated by what a header claims, only by what the file holds; no two tensors share a byte, and every
 * byte after the header belongs to one. The data returned are views of the file where their alignment allows it.
 */
import { CheckpointError } from '../errors';
import { fail, isUint8Array } from '../validate';
import { bytesOf, DTYPES, type Dtype, type DtypeArrays, elementsOf, isDtype } from './dtypes';
import { describeJson, type Json, parseStrictJson, shorten } from './header-json';

/** Key of the header that holds the metadata; no tensor may be called so. */
export const METADATA = '__metadata__';
/** The largest header that is read: a protection against hostile files, the reference reader's. */
export const MAX_HEADER_BYTES = 100_000_000;

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
  /** Text by key; empty when the file has none. */
  metadata: Record<string, string>;
}

/** A tensor as its header describes it, all of it checked but its place among the others. */
interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file.
 *
 * @param bytes the whole file; the tensors' data are views of it, except where the file has not aligned them: those are copies
 * @returns tensors and metadata by name; BF16 and F16 as raw bits in Uint16Arrays, I64 as BigInt64Array
 * @throws CheckpointError whose `reason` tells what is wrong: `'truncated'` (shorter than 8 bytes), `'header-too-large'` (beyond
 *   100 MB), `'header-length'` (beyond the file), `'header-start'` (no `{`), `'utf8'`, `'json'`, `'duplicate-key'`, `'metadata'`
 *   (not text by key), `'entry'` (no object), `'dtype'`, `'shape'`, `'overflow'` (beyond 2^53 elements or bytes), `'offsets'`,
 *   `'range'` (beyond the data), `'size'` (not the shape's), `'overlap'`, `'hole'`, `'trailing'` (bytes after the last tensor)
 * @throws ArgumentError when `bytes` is no Uint8Array
 * @example
 * const { tensors, metadata } = decodeSafetensors(readFileSync('weights.safetensors'));
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 * @see https://github.com/huggingface/safetensors#format
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsContent {
  if (!isUint8Array(bytes)) fail('bytes', 'a Uint8Array', bytes);
  const dataStart = 8 + headerLengthOf(bytes);
  const header = parseHeader(bytes, dataStart);
  const metadata = readMetadata(header.get(METADATA));
  header.delete(METADATA);
  const dataBytes = bytes.length - dataStart;
  const entries = [...header].map(([name, value]) => readEntry(name, value, dataBytes));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(entries, dataBytes);
  const tensors: Record<string, SafetensorsTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of entries) {
    const data = elementsOf(dtype, bytes.subarray(dataStart + begin, dataStart + end));
    tensors[name] = { dtype, shape, data } as SafetensorsTensor;
  }
  return { tensors, metadata };
}

function headerLengthOf(bytes: Uint8Array): number {
  if (bytes.length < 8) refuse('truncated', 'file expected at least 8 bytes', `${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) refuse('header-too-large', `header length expected at most ${MAX_HEADER_BYTES}`, `${length}`);
  if (length > bytes.length - 8) refuse('header-length', `header length expected at most ${bytes.length - 8}`, `${length}`);
  return Number(length);
}

function parseHeader(bytes: Uint8Array, end: number): Map<string, Json> {
  if (end === 8 || bytes[8] !== 0x7b) {
    refuse('header-start', "header expected to begin with '{'", end === 8 ? 'nothing' : `byte ${bytes[8]}`);
  }
  let text: string;
  try {
    // A copy, since decoders refuse shared memory.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice(8, end));
  } catch (cause) {
    throw new CheckpointError('utf8', 'safetensors header expected UTF-8, got other bytes', { cause });
  }
  return parseStrictJson(text) as Map<string, Json>;
}

function readMetadata(value: Json | undefined): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  if (value === undefined) return metadata;
  if (!(value instanceof Map)) refuse('metadata', `key "${METADATA}" expected an object`, describeJson(value));
  for (const [key, text] of value) {
    if (typeof text !== 'string') {
      refuse('metadata', `key "${METADATA}.${shorten(key)}" expected a string`, describeJson(text));
    }
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(name: string, value: Json, dataBytes: number): Entry {
  const label = `tensor "${shorten(name)}"`;
  if (!(value instanceof Map)) refuse('entry', `${label} expected an object`, describeJson(value));
  const dtype = value.get('dtype');
  if (!isDtype(dtype)) refuse('dtype', `${label}: dtype expected one of ${DTYPES.join(', ')}`, describeJson(dtype));
  const shape = value.get('shape');
  if (!isWholeNumbers(shape)) refuse('shape', `${label}: shape expected an array of whole numbers`, describeJson(shape));
  const wanted = byteCount(label, shape, bytesOf(dtype));
  const offsets = value.get('data_offsets');
  if (!isWholeNumbers(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    refuse('offsets', `${label}: data_offsets expected two whole numbers, the first not above the second`, describeJson(offsets));
  }
  const [begin, end] = offsets as [number, number];
  if (end > dataBytes) refuse('range', `${label}: data_offsets expected to end by ${dataBytes}`, `${end}`);
  if (end - begin !== wanted) {
    refuse('size', `${label}: data_offsets expected to span ${wanted} bytes (${dtype} ${describeJson(shape)})`, `${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function isWholeNumbers(value: Json | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function byteCount(label: string, shape: readonly number[], elementBytes: number): number {
  let bytes = elementBytes;
  for (const size of shape) {
    bytes *= size;
    if (bytes > Number.MAX_SAFE_INTEGER) {
      refuse('overflow', `${label}: shape expected at most 2^53 bytes`, describeJson([...shape]));
    }
  }
  return bytes;
}

/** Sorted by their beginnings, each must begin where the one before it ends. */
function checkTiling(entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    const expected = `tensor "${shorten(name)}": data_offsets expected to begin at ${at}`;
    if (begin < at) refuse('overlap', `${expected}, where the tensor before it ends`, `${begin}`);
    if (begin > at) refuse('hole', `${expected}, without a hole`, `${begin}`);
    at = end;
  }
  if (at < dataBytes)
    refuse('trailing', `file expected to end with the last tensor, ${at} bytes after the header`, `${dataBytes}`);
}

function refuse(reason: string, expected: string, got: string): never {
  throw new CheckpointError(reason, `safetensors ${expected}, got ${got}`);
}
