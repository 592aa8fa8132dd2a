/** The element types that checkpoints hold, and the arrays that hold their elements in memory. */
import { isUint8Array, typedArrayName } from '../validate';

/** Element types by their safetensors names. */
export type Dtype = 'F64' | 'I64' | 'F32' | 'BF16' | 'F16' | 'U8';

/** The array of each element type; BF16 and F16 are raw bits (see `bf16ToF32`, `f16ToF32`). */
export interface DtypeArrays {
  F64: Float64Array;
  I64: BigInt64Array;
  F32: Float32Array;
  BF16: Uint16Array;
  F16: Uint16Array;
  U8: Uint8Array;
}

/** Elements of any of the types. */
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

/** Whether it names an element type. */
export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && ARRAY_TYPES.has(value);
}

/** Bytes of one element. */
export function bytesOf(dtype: Dtype): number {
  return ARRAY_TYPES.get(dtype)!.BYTES_PER_ELEMENT;
}

/** The name of the array type, for error messages. */
export function arrayNameOf(dtype: Dtype): string {
  return ARRAY_TYPES.get(dtype)!.name;
}

/** Whether the array is of the type that holds such elements. */
export function holds(dtype: Dtype, data: unknown): data is DtypeArray {
  return typedArrayName(data) === arrayNameOf(dtype);
}

/**
 * The element type of an array; undefined for a Uint16Array, which may be BF16 or F16, and for all
 * else.
 */
export function dtypeOf(data: unknown): Dtype | undefined {
  const type = typedArrayName(data);
  return type === 'Uint16Array' ? undefined : DTYPES.find((dtype) => arrayNameOf(dtype) === type);
}

/**
 * Bytes as a plain view of the same memory: not a Buffer, whose methods differ, nor of another
 * realm, as test runners have them. Null for what is no Uint8Array.
 */
export function plainBytes(value: unknown): Uint8Array | null {
  if (!isUint8Array(value)) return null;
  const { buffer, byteOffset, length } = value;
  return new Uint8Array(buffer, byteOffset, length);
}

/**
 * Bytes seen as elements: without a copy where they are aligned for it.
 * @param begin of the bytes; between it and `end` there is a whole number of elements
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
