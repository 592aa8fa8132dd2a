/**
 * Plain data as JSON and tensors: what a program keeps in a checkpoint besides the optimizer, such
 * as the epoch, the state dict of an average of the weights, or a random generator's state.
 *
 * Invariant: what is read back equals what was written, every double and every element, NaN,
 * infinities and -0 included.
 */
import { describe, fail } from '../validate';
import { dtypeOf } from './dtypes';
import { refuse, type TensorCollector, type TensorSupply } from './named-tensors';

/** JSON, whose objects may also hold typed arrays. */
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

/** What stands in JSON for a typed array: its tensor's name by this key. */
const TENSOR = '$tensor';
/** What stands for the numbers that JSON has not: their text by this key. */
const NUMBER = '$number';
const OTHER_NUMBERS = ['NaN', 'Infinity', '-Infinity', '-0'];
/** Deeper data are refused before they can exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * The JSON for a value; its typed arrays go to `collector`, named by their paths.
 * @throws ArgumentError naming the path of what is not plain data
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
 * The value that was saved.
 * @throws CheckpointError
 */
export function fromJson(path: string, value: unknown, supply: TensorSupply, depth = 0): PlainData {
  if (typeof value !== 'object' || value === null) {
    // JSON.parse makes Infinity of 1e999.
    if (typeof value === 'number' && !Number.isFinite(value))
      refuse('schema', path, 'a finite number', describe(value));
    return value as PlainData;
  }
  if (depth === MAX_DEPTH)
    refuse('schema', path, `data nested at most ${MAX_DEPTH} deep`, 'deeper ones');
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
  // By name, since another realm has another Object.prototype.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && prototype.constructor?.name === 'Object')
  );
}

/** An object without a prototype, in which any key is a key like others. */
function fromEntries<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) record[key] = value;
  return record;
}
