/**
 * The header of a safetensors file, read without the data. `adal inspect` shows it, and the reader
 * of whole files starts with it. Files are untrusted: every field is checked.
 *
 * Invariant: memory use is bounded by the size of the header, never by the numbers in it. Each byte
 * after the header belongs to exactly one tensor.
 */
import { CheckpointError } from '../errors';
import { fail } from '../validate';
import { plainBytes } from './dtypes';
import { JsonCursor, shorten } from './header-json';

/** Header key of the metadata; no tensor may have this name. */
export const METADATA = '__metadata__';
/** The largest header that is read, the same limit as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Size of the length field before the header. */
const LENGTH_BYTES = 8;
/** Without a limit, dimensions could take a multiple of the file size in memory. */
const MAX_DIMENSIONS = 1024;
/** Without a limit, a million metadata keys would take more memory than the file. */
const MAX_METADATA_KEYS = 250_000;
/** Length of "data_offsets" with every letter escaped; any longer key is unknown. */
const MAX_FIELD_BYTES = 6 * 'data_offsets'.length;
/** Form of the names of element types. */
const DTYPE_NAME = /^\w[\w.-]{0,31}$/;

/**
 * Bits per element of all element types of the safetensors format, including those that this
 * library does not decode. Types that are not listed here are newer than this version.
 */
export const ELEMENT_BITS: ReadonlyMap<string, number> = new Map([
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
  ['C64', 64],
  ['F32', 32],
  ['I32', 32],
  ['U32', 32],
  ['BF16', 16],
  ['F16', 16],
  ['I16', 16],
  ['U16', 16],
  ['BOOL', 8],
  ['I8', 8],
  ['U8', 8],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

/** Description of a tensor in the header. */
export interface SafetensorsTensorInfo {
  /** Name of the element type as the file has it, such as `'F32'` or `'F8_E4M3'`. */
  readonly dtype: string;
  /** Sizes of the dimensions, outermost first; `[]` for a single number. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elementCount: number;
  /** Bits per element; null for an element type that this version does not know. */
  readonly elementBits: number | null;
  /** Position of the first byte of the data, from the start of the file. */
  readonly begin: number;
  /** Position after the last byte of the data, from the start of the file. */
  readonly end: number;
}

/** Header of a safetensors file. Both objects have no prototype. */
export interface SafetensorsHeader {
  /** Tensors by name, in the order of their data. */
  readonly tensors: Readonly<Record<string, SafetensorsTensorInfo>>;
  /** Metadata texts by key; empty if the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Position where the data starts: after 8 bytes for the length, and the header. */
  readonly dataStart: number;
}

/** Checked description of a tensor, with its name. */
export interface HeaderEntry extends SafetensorsTensorInfo {
  readonly name: string;
}

/** Header with its tensors as a list, in the order of their data. */
export interface HeaderEntries {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Record<string, string>;
  readonly dataStart: number;
}

/**
 * Returns the position at which the data of a safetensors file starts, which is also the number of
 * bytes that `decodeSafetensorsHeader` needs.
 *
 * @param start at least the first 8 bytes of the file
 * @param fileBytes size of the whole file, in bytes
 * @throws CheckpointError with the reason `'truncated'` (the file has less than 8 bytes),
 *   `'header-too-large'` (more than 100 MB) or `'header-length'` (longer than the file)
 * @throws ArgumentError if `start` is not a Uint8Array, or has less than 8 bytes of a longer file
 */
export function safetensorsHeaderEnd(start: Uint8Array, fileBytes: number): number {
  const bytes = plainBytes(start) ?? fail('start', 'a Uint8Array', start);
  if (!Number.isSafeInteger(fileBytes) || fileBytes < 0)
    fail('fileBytes', 'an integer ≥ 0', fileBytes);
  if (fileBytes < LENGTH_BYTES)
    refuse('truncated', `file expected at least ${LENGTH_BYTES} bytes`, `${fileBytes}`);
  if (bytes.length < LENGTH_BYTES) fail('start', `at least ${LENGTH_BYTES} bytes`, bytes);
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    refuse('header-too-large', `header length expected at most ${MAX_HEADER_BYTES}`, `${length}`);
  }
  if (length > fileBytes - LENGTH_BYTES) {
    refuse(
      'header-length',
      `header length expected at most ${fileBytes - LENGTH_BYTES}`,
      `${length}`,
    );
  }
  return LENGTH_BYTES + Number(length);
}

/**
 * Decodes the header of a safetensors file without its data. It can list files that are larger than
 * memory, or that contain element types which `decodeSafetensors` does not read. It makes the same
 * checks as `decodeSafetensors`, except for those of the data.
 *
 * @param start the beginning of the file, at least as many bytes as `safetensorsHeaderEnd` returns
 * @param fileBytes size of the whole file, in bytes
 * @default fileBytes start.length: `start` is the whole file
 * @returns tensors and metadata by name; element types that this version does not know are included
 * @throws CheckpointError with the reasons of `decodeSafetensors`; `'dtype'` only if the element
 *   type is not a name
 * @throws ArgumentError if `start` is not a Uint8Array or ends within the header
 * @example
 * const file = await open('weights.safetensors');
 * const { size } = await file.stat();
 * const start = Buffer.alloc(8);
 * await file.read(start, 0, 8, 0);
 * const bytes = Buffer.alloc(safetensorsHeaderEnd(start, size));
 * await file.read(bytes, 0, bytes.length, 0);
 * const { tensors } = decodeSafetensorsHeader(bytes, size);
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 */
export function decodeSafetensorsHeader(
  start: Uint8Array,
  fileBytes: number = (start as Uint8Array | null)?.length ?? 0,
): SafetensorsHeader {
  const bytes = plainBytes(start) ?? fail('start', 'a Uint8Array', start);
  const { entries, metadata, dataStart } = readHeader(bytes, fileBytes, null);
  const tensors: Record<string, SafetensorsTensorInfo> = Object.create(null);
  for (const { name, ...info } of entries) tensors[name] = info;
  return { tensors, metadata, dataStart };
}

/**
 * Reads a header into a list.
 *
 * @param bytes the beginning of the file, as an array of this realm
 * @param readable names of the element types to accept; null accepts any
 */
export function readHeader(
  bytes: Uint8Array,
  fileBytes: number,
  readable: readonly string[] | null,
): HeaderEntries {
  const dataStart = safetensorsHeaderEnd(bytes, fileBytes);
  if (bytes.length < dataStart) fail('start', `the ${dataStart} bytes before the data`, bytes);
  const text = bytes.subarray(LENGTH_BYTES, dataStart);
  if (text[0] !== 0x7b) {
    refuse(
      'header-start',
      "header expected to begin with '{'",
      text.length === 0 ? 'nothing' : `byte ${text[0]}`,
    );
  }
  const cursor = new JsonCursor(text);
  cursor.check();
  const dataBytes = fileBytes - dataStart;
  const names = new Set<string>();
  const entries: HeaderEntry[] = [];
  const metadata: Record<string, string> = Object.create(null);
  cursor.fields(Number.POSITIVE_INFINITY, (name) => {
    if (names.has(name)) duplicate(name);
    names.add(name);
    if (name === METADATA) readMetadata(cursor, metadata);
    else entries.push(readEntry(cursor, name, dataStart, dataBytes, readable));
  });
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(entries, dataStart, dataBytes);
  return { entries, metadata, dataStart };
}

function readMetadata(cursor: JsonCursor, metadata: Record<string, string>): void {
  if (!cursor.beginsWith('{'))
    refuse('metadata', `key "${METADATA}" expected an object`, cursor.describe());
  let count = 0;
  cursor.fields(Number.POSITIVE_INFINITY, (key) => {
    if (key in metadata) duplicate(`${METADATA}.${key}`);
    if (++count > MAX_METADATA_KEYS) {
      refuse('metadata', `key "${METADATA}" expected at most ${MAX_METADATA_KEYS} keys`, 'more');
    }
    if (!cursor.beginsWith('"')) {
      refuse('metadata', `key "${METADATA}.${shorten(key)}" expected a string`, cursor.describe());
    }
    metadata[key] = cursor.string();
  });
}

/** The fields of a tensor that are read; others are skipped. */
type Field = 'dtype' | 'shape' | 'data_offsets';

function readEntry(
  cursor: JsonCursor,
  name: string,
  dataStart: number,
  dataBytes: number,
  readable: readonly string[] | null,
): HeaderEntry {
  const label = `tensor "${shorten(name)}"`;
  if (!cursor.beginsWith('{')) refuse('entry', `${label} expected an object`, cursor.describe());
  const places: Record<Field, number> = { dtype: -1, shape: -1, data_offsets: -1 };
  cursor.fields(MAX_FIELD_BYTES, (key) => {
    if (key === 'dtype' || key === 'shape' || key === 'data_offsets') {
      if (places[key] >= 0) duplicate(`${name}.${key}`);
      places[key] = cursor.position;
    }
    cursor.skip();
  });
  const end = cursor.position;
  const dtype = readDtype(cursor, places.dtype, label, readable);
  const shape = numbersAt(cursor, places.shape, MAX_DIMENSIONS);
  if (!shape) {
    const expected = `array of whole numbers, at most ${MAX_DIMENSIONS}`;
    refuse('shape', `${label}: shape expected an ${expected}`, describeAt(cursor, places.shape));
  }
  const offsets = numbersAt(cursor, places.data_offsets, 2);
  if (offsets?.length !== 2 || offsets[0]! > offsets[1]!) {
    const expected = 'two whole numbers, the first not above the second';
    refuse(
      'offsets',
      `${label}: data_offsets expected ${expected}`,
      describeAt(cursor, places.data_offsets),
    );
  }
  cursor.position = end;
  const [from, to] = offsets as [number, number];
  if (to > dataBytes)
    refuse('range', `${label}: data_offsets expected to end by ${dataBytes}`, `${to}`);
  const elementBits = ELEMENT_BITS.get(dtype) ?? null;
  const elementCount = checkSize(label, dtype, shape, elementBits, to - from);
  return {
    name,
    dtype,
    shape,
    elementCount,
    elementBits,
    begin: dataStart + from,
    end: dataStart + to,
  };
}

function readDtype(
  cursor: JsonCursor,
  place: number,
  label: string,
  readable: readonly string[] | null,
): string {
  cursor.position = place;
  const dtype = place >= 0 && cursor.beginsWith('"') ? cursor.string() : null;
  if (dtype !== null && (readable ? readable.includes(dtype) : DTYPE_NAME.test(dtype)))
    return dtype;
  const expected = readable ? `one of ${readable.join(', ')}` : 'the name of an element type';
  return refuse('dtype', `${label}: dtype expected ${expected}`, describeAt(cursor, place));
}

function numbersAt(cursor: JsonCursor, place: number, most: number): number[] | null {
  if (place < 0) return null;
  cursor.position = place;
  return cursor.wholeNumbers(most);
}

function describeAt(cursor: JsonCursor, place: number): string {
  if (place < 0) return 'nothing';
  cursor.position = place;
  return cursor.describe();
}

/** Checks that the elements of a shape span the given bytes; returns the number of elements. */
function checkSize(
  label: string,
  dtype: string,
  shape: readonly number[],
  elementBits: number | null,
  span: number,
): number {
  const elementBytes = (elementBits ?? 8) / 8;
  const size = () => `[${shape.length <= 8 ? shape.join(', ') : `${shape.length} sizes`}]`;
  let count = 1;
  for (const dimension of shape) {
    count *= dimension;
    if (count * Math.max(1, elementBytes) > Number.MAX_SAFE_INTEGER) {
      refuse('overflow', `${label}: shape expected at most 2^53 bytes`, size());
    }
  }
  if (elementBits === null) {
    // Nothing more can be checked for an unknown element type.
    if ((count === 0) !== (span === 0)) {
      const expected = `${count === 0 ? 'no' : 'some'} bytes (${dtype} ${size()})`;
      refuse('size', `${label}: data_offsets expected to span ${expected}`, `${span}`);
    }
  } else if (span !== count * elementBytes) {
    const expected = `${count * elementBytes} bytes (${dtype} ${size()})`;
    refuse('size', `${label}: data_offsets expected to span ${expected}`, `${span}`);
  }
  return count;
}

/** Checks that each of the sorted tensors starts where the previous one ends. */
function checkTiling(entries: readonly HeaderEntry[], dataStart: number, dataBytes: number): void {
  let at = 0;
  for (const entry of entries) {
    const begin = entry.begin - dataStart;
    const expected = `tensor "${shorten(entry.name)}": data_offsets expected to begin at ${at}`;
    if (begin < at) refuse('overlap', `${expected}, where the previous tensor ends`, `${begin}`);
    if (begin > at) refuse('hole', `${expected}, without a hole`, `${begin}`);
    at = entry.end - dataStart;
  }
  if (at < dataBytes) {
    refuse(
      'trailing',
      `file expected to end with the last tensor, ${at} bytes after the header`,
      `${dataBytes}`,
    );
  }
}

function duplicate(path: string): never {
  throw new CheckpointError('duplicate-key', `safetensors key "${shorten(path)}" occurs twice`);
}

function refuse(reason: string, expected: string, got: string): never {
  throw new CheckpointError(reason, `safetensors ${expected}, got ${got}`);
}
