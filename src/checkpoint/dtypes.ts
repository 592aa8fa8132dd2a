/** The element types of checkpoints, and the typed arrays that hold them in memory. */
import { isUint8Array, typedArrayName } from '../validate';

/** Element type, by its safetensors name. */
export type Dtype = 'F64' | 'I64' | 'F32' | 'BF16' | 'F16' | 'U8';

/**
 * Typed array of each element type. BF16 and F16 are raw bits (see `bf16ToF32` and `f16ToF32`).
 */
export interface DtypeArrays {
  F64: Float64Array;
  I64: BigInt64Array;
  F32: Float32Array;
  BF16: Uint16Array;
  F16: Uint16Array;
  U8: Uint8Array;
}

/** Typed array that holds elements of any of the types. */
export type DtypeArray = DtypeArrays[Dtype];

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): DtypeArray;
}

const ARRAY_TYPES: ReadonlyMap<string, ArrayType> = new Map<Dtype, ArrayType>([
  ['F64', Float64Array],
  ['I64', BigInt64Array],
  ['F32', Float32Array],
  ['BF16', Uint16Array],
  ['F16', Uint16Array],
  ['U8', Uint8Array],
]);

/** All element types, widest first. */
export const DTYPES: readonly Dtype[] = [...ARRAY_TYPES.keys()] as Dtype[];

/** Tells whether a value is the name of an element type. */
export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && ARRAY_TYPES.has(value);
}

/** Returns the number of bytes of one element. */
export function bytesOf(dtype: Dtype): number {
  return ARRAY_TYPES.get(dtype)!.BYTES_PER_ELEMENT;
}

/** Returns the name of the typed array, for error messages. */
export function arrayNameOf(dtype: Dtype): string {
  return ARRAY_TYPES.get(dtype)!.name;
}

/** Tells whether an array is of the type that holds such elements. */
export function holds(dtype: Dtype, data: unknown): data is DtypeArray {
  return typedArrayName(data) === arrayNameOf(dtype);
}

/**
 * Returns the element type of an array; undefined for a Uint16Array, which may be BF16 or F16, and
 * for any other value.
 */
export function dtypeOf(data: unknown): Dtype | undefined {
  const type = typedArrayName(data);
  return type === 'Uint16Array' ? undefined : DTYPES.find((dtype) => arrayNameOf(dtype) === type);
}

/**
 * Returns a Uint8Array of this realm over the same memory. (The methods of a Buffer differ, and
 * test runners pass arrays of another realm.) Returns null for anything but a Uint8Array.
 */
export function plainBytes(value: unknown): Uint8Array | null {
  if (!isUint8Array(value)) return null;
  const { buffer, byteOffset, length } = value;
  return new Uint8Array(buffer, byteOffset, length);
}

/**
 * Returns bytes as elements: a view if they are aligned, else a copy.
 *
 * @param begin first byte; `end - begin` must be a multiple of the element size
 */
export function elementsOf(
  dtype: Dtype,
  bytes: Uint8Array,
  begin: number,
  end: number,
): DtypeArray {
  const type = ARRAY_TYPES.get(dtype)!;
  const count = (end - begin) / type.BYTES_PER_ELEMENT;
  const offset = bytes.byteOffset + begin;
  if (offset % type.BYTES_PER_ELEMENT === 0) return new type(bytes.buffer, offset, count);
  return new type(new Uint8Array(bytes.subarray(begin, end)).buffer, 0, count);
}
