/**
 * Writes safetensors files: the minimum that stores float32 weights for others to read. (Reading, further element types and the
 * state-dict schema are a later issue's.)
 *
 *     ┌────────────┬──────────────────────────────┬──────────────────────────┐
 *     │ u64 LE: N  │ N bytes of JSON, space-padded │ tensors, back to back     │
 *     └────────────┴──────────────────────────────┴──────────────────────────┘
 *      8 bytes       8 + N is a multiple of 8       data_offsets count from here
 *
 * Invariant: the tensors lie in the order given, without gaps, so the same tensors and metadata give the same bytes.
 */
import { ArgumentError } from '../errors';
import { fail } from '../validate';

/** A tensor to write. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major; as many elements as the shape has. */
  readonly data: Float32Array;
}

/** Key of the header that holds the metadata; no tensor may be called so. */
const METADATA = '__metadata__';
/** What readers accept, a protection against hostile files in theirs. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Encodes tensors as one safetensors file, element type F32 (little-endian, as every platform with WebAssembly stores it).
 *
 * @param tensors in the order in which they are to lie in the file
 * @param metadata text by key
 * @default metadata {}
 * @throws ArgumentError when a shape does not fit its data, a name comes twice or is `__metadata__`, metadata is not text
 * @example
 * writeFileSync('weights.safetensors', encodeSafetensors([{ name: 'w', shape: [2], data: new Float32Array([1, 2]) }]));
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { header, dataBytes } = encodeHeader(tensors, metadata);
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function encodeHeader(
  tensors: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; dataBytes: number } {
  // Strings are joined, not an object built: in an object names such as "10" would change their place, "__proto__" would vanish.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"${METADATA}":${encodeMetadata(metadata)}`);
  const names = new Set([METADATA]);
  let dataBytes = 0;
  for (const [index, tensor] of tensors.entries()) {
    checkTensor(`tensors[${index}]`, tensor, names);
    const { name, shape, data } = tensor;
    const data_offsets = [dataBytes, (dataBytes += data.byteLength)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: 'F32', shape, data_offsets })}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  if (json.length > MAX_HEADER_BYTES) fail('tensors', `names and metadata of at most ${MAX_HEADER_BYTES} bytes`, json.length);
  const header = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  header.set(json);
  return { header, dataBytes };
}

function checkTensor(argument: string, { name, shape, data }: SafetensorsEntry, names: Set<string>): void {
  if (typeof name !== 'string') fail(`${argument}.name`, 'a string', name);
  if (names.has(name)) fail(`${argument}.name`, `a name other than ${METADATA} and those before it`, name);
  names.add(name);
  if (!(data instanceof Float32Array)) fail(`${argument}.data`, 'a Float32Array', data);
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    fail(`${argument}.shape`, 'an array of integers ≥ 0', shape);
  }
  const wanted = shape.reduce((product: number, size: number) => product * size, 1);
  if (wanted !== data.length) {
    throw new ArgumentError(`${argument}.data`, `${wanted} elements (shape [${shape.join(', ')}])`, `${data.length}`);
  }
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') fail(`metadata[${JSON.stringify(key)}]`, 'a string', value);
  }
  return JSON.stringify(metadata);
}
