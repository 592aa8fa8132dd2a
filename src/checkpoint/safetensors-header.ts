/**
 * The header of a safetensors file, read without the data: what `adal inspect` shows of any file,
 * and what the reader of whole files begins with. Files are hostile until each field is checked.
 *
 * Invariant: nothing is allocated by what a header claims, only by the tensors it describes; no two
 * of them share a byte, and every byte after the header belongs to one.
 */
import { CheckpointError } from '../errors';
import { fail } from '../validate';
import { plainBytes } from './dtypes';
import { JsonCursor, shorten } from './header-json';

/** Key of the header that holds the metadata; no tensor may be called so. */
export const METADATA = '__metadata__';
/** The largest header that is read: a protection against hostile files, the reference reader's. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Bytes before the header: its length. */
const LENGTH_BYTES = 8;
/** More dimensions than any program has; without a limit they would take a multiple of the file. */
const MAX_DIMENSIONS = 1024;
/** As many keys of metadata; a million of them would take more memory than the file. */
const MAX_METADATA_KEYS = 250_000;
/** "data_offsets" with every letter escaped; longer keys are unknown, whatever they are. */
const MAX_FIELD_BYTES = 6 * 'data_offsets'.length;
/** How element types are called. */
const DTYPE_NAME = /^\w[\w.-]{0,31}$/;

/**
 * Bits of an element by the names of the safetensors format, those that this library does not
 * decode included. A type that is not here is newer than this release: its name is all that is
 * known of it.
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

/** A tensor as the header describes it. */
export interface SafetensorsTensorInfo {
  /** The element type's name, such as `'F32'` or `'F8_E4M3'`; any name that the file has. */
  readonly dtype: string;
  /** Sizes of the dimensions, outermost first; `[]` for a single number. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elementCount: number;
  /** Bits of an element; null for a type that this release does not know. */
  readonly elementBits: number | null;
  /** Position in the file of the first byte of its data. */
  readonly begin: number;
  /** Position in the file of the byte after its data. */
  readonly end: number;
}

/** What the header of a safetensors file says; both objects are without a prototype. */
export interface SafetensorsHeader {
  /** By name, in the order of their bytes. */
  readonly tensors: Readonly<Record<string, SafetensorsTensorInfo>>;
  /** Text by key; empty when the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Position in the file at which the data begin: 8 bytes for the length, and the header. */
  readonly dataStart: number;
}

/** A tensor of the header, checked. */
export interface HeaderEntry extends SafetensorsTensorInfo {
  readonly name: string;
}

/** A header whose tensors are in a list, by the order of their bytes. */
export interface HeaderEntries {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Record<string, string>;
  readonly dataStart: number;
}

/**
 * Returns how many bytes of a safetensors file come before its data: as many from its beginning
 * `decodeSafetensorsHeader` needs.
 *
 * @param start at least the first 8 bytes of the file
 * @param fileBytes length of the whole file
 * @throws CheckpointError with the reason `'truncated'` (a file of less than 8 bytes),
 *   `'header-too-large'` (beyond 100 MB) or `'header-length'` (beyond the file)
 * @throws ArgumentError when `start` is no Uint8Array or has less than 8 bytes of a longer file
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
 * Reads the header of a safetensors file without its data, so that files can be listed that are
 * larger than memory or hold elements of types that `decodeSafetensors` does not read. All that it
 * says is checked as `decodeSafetensors` does, but the tensors' bytes are not looked at.
 *
 * @param start the file's beginning, at least as much as `safetensorsHeaderEnd` says
 * @param fileBytes length of the whole file in bytes
 * @default fileBytes start.length: the whole file
 * @returns tensors and metadata by name; sizes of elements are known for the types of the format
 *   (ELEMENT_BITS), other names are taken as they are
 * @throws CheckpointError as `decodeSafetensors` does, with the same reasons; `'dtype'` only where
 *   no name of a type stands
 * @throws ArgumentError when `start` is no Uint8Array or ends within the header
 * @example
 * const file = await open('weights.safetensors');
 * const { size } = await file.stat();
 * const start = Buffer.alloc(8);
 * await file.read(start, 0, 8, 0);
 * const header = Buffer.alloc(safetensorsHeaderEnd(start, size));
 * await file.read(header, 0, header.length, 0);
 * for (const [name, { dtype, shape }] of Object.entries(decodeSafetensorsHeader(header,
 * size).tensors)) {
 *   console.log(name, dtype, shape);
 * }
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
 * @param bytes the file's beginning, of this realm
 * @param readable names of the element types that are accepted; null: any
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

/** Fields of a tensor that are known; others are skipped. */
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

/** Checks that so many elements span so many bytes; returns how many there are. */
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
    // All that can be said of an unknown type.
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

/** Sorted by their beginnings, each must begin where the one before it ends. */
function checkTiling(entries: readonly HeaderEntry[], dataStart: number, dataBytes: number): void {
  let at = 0;
  for (const entry of entries) {
    const begin = entry.begin - dataStart;
    const expected = `tensor "${shorten(entry.name)}": data_offsets expected to begin at ${at}`;
    if (begin < at) refuse('overlap', `${expected}, where the tensor before it ends`, `${begin}`);
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
  throw new CheckpointError('duplicate-key', `safetensors key "${shorten(path)}" comes twice`);
}

function refuse(reason: string, expected: string, got: string): never {
  throw new CheckpointError(reason, `safetensors ${expected}, got ${got}`);
}
