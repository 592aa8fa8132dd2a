/**
 * The arrays of an optimizer's state as state dicts hold them: plain numbers, or coded moments.
 *
 *     Float32Array               float32
 *     { dtype, … }               a coded moment: see state-formats
 *     Int16Array                 integers, such as the rows' exponents of a sparse tensor
 *
 * Invariant: an array is loaded only into one of its own kind and sizes, and only with numbers that
 * its optimizer could have written: finite, squares at or above 0, scales powers of two.
 */
import { ArgumentError } from '../errors';
import { fail, isFloat32Array, typedArrayName } from '../validate';
import { type CodedArray, codecOf, layoutOf } from './state-formats';

/** One array of a parameter's state. */
export type StateArray = Float32Array | Int16Array | CodedArray;

/** A typed array that a state array consists of. */
export type StatePart = Float32Array | Int16Array | Uint16Array | Uint8Array;

/**
 * Returns the typed arrays that a state array consists of, by the keys that lead to them; the key
 * is '' where the array is one itself.
 */
export function partsOf(array: StateArray): [key: string, part: StatePart][] {
  if (!('dtype' in array)) return [['', array]];
  return layoutOf(array.dtype).parts.map(({ key }) => [`.${key}`, partAt(array, key)]);
}

function partAt(array: CodedArray, key: string): StatePart {
  return (array as unknown as Readonly<Record<string, StatePart>>)[key];
}

/** Returns a copy that shares no memory with the array. */
export function copyStateArray(array: StateArray): StateArray {
  if (!('dtype' in array)) return array.slice();
  const { parts } = layoutOf(array.dtype);
  const copies = parts.map(({ key }) => [key, partAt(array, key).slice()]);
  return { dtype: array.dtype, ...Object.fromEntries(copies) } as CodedArray;
}

/** Writes a checked array into the one it was checked against. */
export function writeStateArray(target: StateArray, source: StateArray): void {
  const parts = partsOf(source);
  for (const [index, [, part]] of partsOf(target).entries()) part.set(parts[index][1]);
}

/**
 * Checks that `value` may be written into `target`: the same kind, the same sizes, nothing but
 * numbers that it can hold.
 * @param squares whether it holds squares, which are never negative
 * @throws ArgumentError naming the typed array, or the element, that does not fit
 */
export function checkStateArray(
  path: string,
  value: unknown,
  target: StateArray,
  squares = false,
): asserts value is StateArray {
  const given = (value ?? {}) as Record<string, unknown>;
  if ('dtype' in target && given.dtype !== target.dtype)
    fail(path, `{ dtype: '${target.dtype}', … }`, given.dtype ?? value);
  for (const [key, wanted] of partsOf(target))
    checkPart(path + key, key === '' ? value : given[key.slice(1)], wanted);
  if ('dtype' in target) codecOf(target.dtype).checkValues(path, value as CodedArray, squares);
  else if (squares) checkSquares(path, value as Float32Array);
}

function checkSquares(path: string, array: Float32Array): void {
  const index = array.findIndex((x) => x < 0);
  if (index < 0) return;
  const expected = 'a number ≥ 0, as averages of squares are';
  throw new ArgumentError(`${path}[${index}]`, expected, 'a negative one');
}

function checkPart(path: string, value: unknown, wanted: StatePart): void {
  const name = typedArrayName(wanted)!;
  const ofKind = typedArrayName(value) === name && (value as StatePart).length === wanted.length;
  if (!ofKind)
    fail(path, `${name.startsWith('I') ? 'an' : 'a'} ${name} of ${wanted.length} elements`, value);
  if (!isFloat32Array(value)) return;
  // x - x is 0 for finite numbers alone.
  for (let i = 0; i < value.length; i++) {
    if (value[i] - value[i] !== 0)
      throw new ArgumentError(`${path}[${i}]`, 'a finite number', 'NaN or infinity');
  }
}

/**
 * Returns a function that reads elements of a moment as numbers.
 * @param second whether it is a second moment, whose codes may differ
 */
export function readerOf(array: StateArray, second: boolean): (i: number) => number {
  if (!('dtype' in array)) return (i) => array[i];
  return codecOf(array.dtype).reader(array, second);
}

/** Returns the values of a state array of an algorithm without compact state. */
export function floatsOf({ data }: { readonly data: StateArray }): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError('this state is not float32');
  return data;
}
