/**
 * Encoding of safetensors files. (safetensors-reader.ts decodes them.)
 *
 *     ┌────────────┬──────────────────────────────┬──────────────────────────┐
 *     │ u64 LE: N  │ N bytes of JSON, space-padded │ tensors, back to back     │
 *     └────────────┴──────────────────────────────┴──────────────────────────┘
 *      8 bytes       8 + N is a multiple of 8       data_offsets count from here
 *
 * Invariant: tensors are sorted by the width of their elements, widest first, without gaps, so that
 * each of them is aligned. Tensors of the same width keep their order, so that equal tensors and
 * metadata give equal bytes.
 */
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import { checkOptions, describe, fail, isTypedArray } from '../validate';
import { CHECKSUM, contentChecksum } from './content-checksum';
import {
  arrayNameOf,
  bytesOf,
  DTYPES,
  type Dtype,
  type DtypeArray,
  dtypeOf,
  holds,
  isDtype,
} from './dtypes';
import { MAX_HEADER_BYTES, METADATA } from './safetensors-header';

export type { Dtype, DtypeArray, DtypeArrays } from './dtypes';
export {
  decodeSafetensors,
  type SafetensorsContent,
  type SafetensorsTensor,
} from './safetensors-reader';

/** A tensor to encode. */
export interface SafetensorsInput {
  /**
   * Element type; required for a Uint16Array, which may hold BF16 or F16.
   * @default the element type of `data`
   */
  readonly dtype?: Dtype;
  /** Sizes of the dimensions, outermost first; `[]` for a single number. */
  readonly shape: readonly number[];
  /** The elements, row-major, as many as the shape has. BF16 and F16 are raw bits. */
  readonly data: DtypeArray;
}

/** A tensor to encode, with its name. */
export interface SafetensorsEntry extends SafetensorsInput {
  readonly name: string;
}

/** Options of `encodeSafetensors`. */
export interface EncodeSafetensorsOptions {
  /**
   * Whether to add a checksum of the contents to the metadata, as `adal_checksum`.
   * `decodeSafetensors` then throws if the contents have changed; other readers ignore the
   * checksum.
   * @default false
   */
  checksum?: boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

interface Checked {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: DtypeArray;
}

/**
 * Encodes tensors as one safetensors file.
 *
 * @param tensors tensors by name, or a list; tensors whose elements have the same width keep their
 *   order
 * @param metadata metadata texts by key
 * @default metadata {}
 * @param options see EncodeSafetensorsOptions
 * @default options {}
 * @returns the bytes of the file
 * @throws ArgumentError if a shape does not fit its data, a name is used twice or is
 *   `__metadata__`, an array has none of the element types, metadata has a value that is not a
 *   string or the key `adal_checksum`, or a string contains an unpaired surrogate
 * @example
 * const tensors = { w: { shape: [2], data: new Float32Array([1, 2]) } };
 * const bytes = encodeSafetensors(tensors, { step: '8' });
 * decodeSafetensors(bytes).tensors.w.data; // Float32Array [1, 2]
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: readonly SafetensorsEntry[] | Readonly<Record<string, SafetensorsInput>>,
  metadata: Readonly<Record<string, string>> = {},
  options: EncodeSafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  checkOptions('options', options, ['checksum']);
  const laidOut = checkAll(tensors).sort((a, b) => bytesOf(b.dtype) - bytesOf(a.dtype));
  const texts = checkMetadata(metadata);
  if (options.checksum) texts[CHECKSUM] = contentChecksum(laidOut, texts);
  const { header, dataBytes } = encodeHeader(laidOut, texts);
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of laidOut) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function encodeHeader(
  tensors: readonly Checked[],
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; dataBytes: number } {
  // Joins strings instead of building an object, in which a name such as "10" would move to the
  // front and "__proto__" would vanish.
  const fields: string[] = [];
  const encodedMetadata = Object.entries(metadata).map((entry) =>
    entry.map((text) => JSON.stringify(text)).join(':'),
  );
  if (encodedMetadata.length > 0) fields.push(`"${METADATA}":{${encodedMetadata.join(',')}}`);
  let dataBytes = 0;
  for (const { name, dtype, shape, data } of tensors) {
    const data_offsets = [dataBytes, (dataBytes += data.byteLength)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES)
    fail('tensors', `names and metadata of at most ${MAX_HEADER_BYTES} bytes`, length);
  const header = new Uint8Array(length).fill(0x20);
  header.set(json);
  return { header, dataBytes };
}

function checkAll(
  tensors: readonly SafetensorsEntry[] | Readonly<Record<string, SafetensorsInput>>,
): Checked[] {
  if (typeof tensors !== 'object' || tensors === null)
    fail('tensors', 'a list or an object', tensors);
  if (!Array.isArray(tensors)) {
    const named = Object.entries(tensors as Readonly<Record<string, SafetensorsInput>>);
    return named.map(([name, tensor]) =>
      checkTensor(`tensors[${JSON.stringify(name)}]`, name, tensor),
    );
  }
  const names = new Set<string>();
  return (tensors as readonly SafetensorsEntry[]).map((tensor, index) => {
    const checked = checkTensor(`tensors[${index}]`, tensor?.name, tensor);
    if (names.has(checked.name))
      fail(`tensors[${index}].name`, 'a name that no other tensor has', checked.name);
    names.add(checked.name);
    return checked;
  });
}

function checkTensor(argument: string, name: string, tensor: SafetensorsInput): Checked {
  if (typeof tensor !== 'object' || tensor === null) fail(argument, 'a tensor', tensor);
  checkText(`${argument}.name`, name);
  if (name === METADATA) fail(`${argument}.name`, `a name other than ${METADATA}`, name);
  const { shape, data } = tensor;
  const dtype = checkDtype(argument, tensor);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    fail(`${argument}.shape`, 'an array of integers ≥ 0', shape);
  }
  const wanted = elementCount(shape);
  if (wanted !== data.length) {
    throw new ArgumentError(
      `${argument}.data`,
      `${wanted} elements (shape [${shape.join(', ')}])`,
      `${data.length}`,
    );
  }
  return { name, dtype, shape, data };
}

function checkDtype(argument: string, { dtype, data }: SafetensorsInput): Dtype {
  if (dtype !== undefined && !isDtype(dtype))
    fail(`${argument}.dtype`, `one of ${DTYPES.join(', ')}`, dtype);
  if (dtype === undefined) {
    if (isTypedArray('Uint16Array', data))
      fail(`${argument}.dtype`, "'BF16' or 'F16' for a Uint16Array", dtype);
    return (
      dtypeOf(data) ??
      fail(`${argument}.data`, 'a typed array of F64, I64, F32, BF16, F16 or U8 elements', data)
    );
  }
  if (!holds(dtype, data)) fail(`${argument}.data`, `a ${arrayNameOf(dtype)} (${dtype})`, data);
  return dtype;
}

/** Checks the metadata and returns a copy without a prototype. */
function checkMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  if (typeof metadata !== 'object' || metadata === null)
    fail('metadata', 'an object of strings', metadata);
  const texts: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(metadata)) {
    checkText(`key of metadata (${describe(key)})`, key);
    checkText(`metadata[${JSON.stringify(key)}]`, value);
    if (key === CHECKSUM)
      fail('metadata', `keys other than ${CHECKSUM}: see the option "checksum"`, key);
    texts[key] = value;
  }
  return texts;
}

/** An unpaired surrogate cannot be encoded as UTF-8, so other readers would refuse the file. */
function checkText(argument: string, value: unknown): void {
  if (typeof value !== 'string') fail(argument, 'a string', value);
  if (LONE_SURROGATE.test(value)) fail(argument, 'a string without unpaired surrogates', value);
}
