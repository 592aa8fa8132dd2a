/**
 * Plain data as JSON and tensors. A program keeps such data in a checkpoint beside the optimizer:
 * the epoch, the state dict of a weight average, the state of a random number generator.
 *
 * Invariant: decoding returns what was encoded: every double and every element, including NaN,
 * infinities and -0.
 */
import { describe, fail } from '../validate';
import { dtypeOf } from './dtypes';
import { refuse, type TensorCollector, type TensorSupply } from './named-tensors';

/** JSON values that may also contain typed arrays. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Uint8Array
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

/** Key of the object that replaces a typed array in the JSON; its value is the tensor's name. */
const TENSOR = '$tensor';
/** Key of the object that replaces a number that JSON cannot express; its value is the text. */
const NUMBER = '$number';
const OTHER_NUMBERS = ['NaN', 'Infinity', '-Infinity', '-0'];
/** Deeper data could exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * Returns the JSON for a value. Adds its typed arrays to `collector`, named by their paths; without
 * a collector, typed arrays are refused.
 *
 * @throws ArgumentError naming the path of a value that is not plain data
 */
export function toJson(
  path: string,
  value: unknown,
  collector: TensorCollector | null,
  depth = 0,
): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return collector
      ? { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) }
      : fail(path, 'a finite number other than -0', value);
  }
  if (depth === MAX_DEPTH) fail(path, `data nested at most ${MAX_DEPTH} deep`, value);
  const inner = (key: string, item: unknown) => toJson(`${path}${key}`, item, collector, depth + 1);
  if (Array.isArray(value)) return Array.from(value, (item, index) => inner(`[${index}]`, item));
  if (collector && ArrayBuffer.isView(value) && dtypeOf(value)) {
    collector.add(path, path, {
      shape: [(value as Float32Array).length],
      data: value as Float32Array,
    });
    return { [TENSOR]: path };
  }
  if (!isPlainObject(value))
    fail(path, collector ? 'JSON or a typed array of F64, I64, F32 or U8 elements' : 'JSON', value);
  for (const key of [TENSOR, NUMBER])
    if (Object.hasOwn(value, key)) fail(path, `keys other than ${key}`, value);
  const fields = Object.entries(value).map(([key, item]) => [key, inner(`.${key}`, item)]);
  return fromEntries(fields as [string, unknown][]);
}

/**
 * Returns the value that was saved.
 *
 * @throws CheckpointError with the reason `'schema'`, `'missing'` or `'dtype'`
 */
export function fromJson(path: string, value: unknown, supply: TensorSupply, depth = 0): PlainData {
  if (typeof value !== 'object' || value === null) {
    // JSON.parse turns 1e999 into Infinity.
    if (typeof value === 'number' && !Number.isFinite(value))
      refuse('schema', path, 'a finite number', describe(value));
    return value as PlainData;
  }
  if (depth === MAX_DEPTH)
    refuse('schema', path, `data nested at most ${MAX_DEPTH} deep`, 'deeper data');
  const inner = (key: string, item: unknown) => fromJson(`${path}${key}`, item, supply, depth + 1);
  if (Array.isArray(value)) return value.map((item, index) => inner(`[${index}]`, item));
  const { [TENSOR]: name, [NUMBER]: number } = value as Record<string, unknown>;
  if (Object.hasOwn(value, NUMBER)) {
    if (!OTHER_NUMBERS.includes(number as string))
      refuse('schema', path, OTHER_NUMBERS.join(' or '), describe(number));
    return Number(number);
  }
  if (Object.hasOwn(value, TENSOR))
    return takeElements(supply, typeof name === 'string' ? name : path);
  return fromEntries(Object.entries(value).map(([key, item]) => [key, inner(`.${key}`, item)]));
}

function takeElements(supply: TensorSupply, name: string): PlainData {
  const { dtype, data } = supply.take(name);
  if (dtype === 'BF16' || dtype === 'F16')
    refuse('dtype', `tensor ${JSON.stringify(name)}`, 'F64, I64, F32 or U8', dtype);
  return data as PlainData;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // Compares the name, since another realm has another Object.prototype.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && prototype.constructor?.name === 'Object')
  );
}

/** Returns an object without a prototype, in which any key is safe. */
function fromEntries<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) record[key] = value;
  return record;
}
