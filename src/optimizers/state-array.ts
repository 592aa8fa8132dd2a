/**
 * The arrays of an optimizer's state as state dicts hold them: plain numbers, or one of the compact
 * codes.
 *
 *     Float32Array                               float32
 *     { dtype: 'bf16', bits }                    bfloat16, raw bits
 *     { dtype: '8bit', codes, scales }           a code an element, a scale a block
 *     Int16Array                                 whole numbers, such as the rows' exponents of a sparse tensor
 *
 * Invariant: an array is loaded only into one of its own kind and sizes, and only with numbers that
 * its rule could have written: finite, squares at or above 0, scales powers of two.
 */

import { ArgumentError } from '../errors';
import { SCALE_BLOCK } from '../memory-layout/constants';
import { fail, isFloat32Array, isTypedArray, isUint8Array, typedArrayName } from '../validate';

/** Bfloat16 numbers: the upper halves of float32 numbers. */
export interface Bf16State {
  readonly dtype: 'bf16';
  readonly bits: Uint16Array;
}

/** Blockwise 8-bit codes. */
export interface EightBitState {
  readonly dtype: '8bit';
  /** One an element. */
  readonly codes: Uint8Array;
  /** One a block. */
  readonly scales: Float32Array;
}

/** One array of a parameter's state. */
export type StateArray = Float32Array | Int16Array | Bf16State | EightBitState;

/** A typed array that a state array consists of. */
export type StatePart = Float32Array | Int16Array | Uint16Array | Uint8Array;

/**
 * The typed arrays it consists of, by the keys that lead to them; the key is '' where the array is
 * one itself.
 */
export function partsOf(array: StateArray): [key: string, part: StatePart][] {
  if (!('dtype' in array)) return [['', array]];
  if (array.dtype === 'bf16') return [['.bits', array.bits]];
  return [
    ['.codes', array.codes],
    ['.scales', array.scales],
  ];
}

/** A copy that shares no memory with it. */
export function copyStateArray(array: StateArray): StateArray {
  if (!('dtype' in array)) return array.slice();
  if (array.dtype === 'bf16') return { dtype: 'bf16', bits: array.bits.slice() };
  return { dtype: '8bit', codes: array.codes.slice(), scales: array.scales.slice() };
}

/** Writes a checked array into the one it was checked against. */
export function writeStateArray(target: StateArray, source: StateArray): void {
  const parts = partsOf(source);
  for (const [index, [, part]] of partsOf(target).entries()) part.set(parts[index][1]);
}

/**
 * Checks that `value` may be written into `target`: the same kind, the same sizes, nothing but
 * numbers that it can hold.
 * @param square whether it holds squares, which are never negative
 * @throws ArgumentError naming the typed array, or the element, that does not fit
 */
export function checkStateArray(
  path: string,
  value: unknown,
  target: StateArray,
  square = false,
): asserts value is StateArray {
  const given = (value ?? {}) as Record<string, unknown>;
  if ('dtype' in target && given.dtype !== target.dtype)
    fail(path, `{ dtype: '${target.dtype}', … }`, given.dtype ?? value);
  for (const [key, wanted] of partsOf(target))
    checkPart(path + key, key === '' ? value : given[key.slice(1)], wanted);
  if ('dtype' in target && target.dtype === '8bit') checkScales(path, value as EightBitState);
  else if (square) checkSquares(path, value as Float32Array | Bf16State);
}

/** A block's scale is a power of two in [2^-94, 2^126], or 0 before its first step. */
function checkScales(path: string, { codes, scales }: EightBitState): void {
  const bits = new Uint32Array(scales.slice().buffer);
  for (let i = 0; i < scales.length; i++) {
    const fits = (bits[i] & 0x807fffff) === 0 && scales[i] >= 2 ** -94 && scales[i] <= 2 ** 126;
    const empty =
      bits[i] === 0 &&
      codes.subarray(i * SCALE_BLOCK, (i + 1) * SCALE_BLOCK).every((code) => code === 0);
    if (fits || empty) continue;
    const expected = 'a power of two in [2^-94, 2^126], or 0 where all codes are 0';
    throw new ArgumentError(`${path}.scales[${i}]`, expected, String(scales[i]));
  }
}

function checkSquares(path: string, array: Float32Array | Bf16State): void {
  // Of bfloat16 the sign bit tells.
  const index = isFloat32Array(array)
    ? (array as Float32Array).findIndex((x) => x < 0)
    : (array as Bf16State).bits.findIndex((bits) => bits >= 0x8000);
  if (index < 0) return;
  const place = 'dtype' in array ? `.bits[${index}]` : `[${index}]`;
  throw new ArgumentError(
    path + place,
    'a number ≥ 0, as averages of squares are',
    'a negative one',
  );
}

/** Checks that `value` is a state array, of whatever sizes and values. */
export function checkAnyStateArray(path: string, value: unknown): asserts value is StateArray {
  if (isFloat32Array(value) || isTypedArray('Int16Array', value)) return;
  const { dtype, bits, codes, scales } = (value ?? {}) as Record<string, unknown>;
  if (dtype === 'bf16') {
    if (!isTypedArray('Uint16Array', bits)) fail(`${path}.bits`, 'a Uint16Array', bits);
  } else if (dtype === '8bit') {
    if (!isUint8Array(codes)) fail(`${path}.codes`, 'a Uint8Array', codes);
    if (!isFloat32Array(scales)) fail(`${path}.scales`, 'a Float32Array', scales);
  } else {
    fail(
      path,
      "a Float32Array, an Int16Array, { dtype: 'bf16', bits } or { dtype: '8bit', codes, scales }",
      value,
    );
  }
}

function checkPart(path: string, value: unknown, wanted: StatePart): void {
  const name = typedArrayName(wanted)!;
  const ofKind = typedArrayName(value) === name && (value as StatePart).length === wanted.length;
  if (!ofKind)
    fail(path, `${name.startsWith('I') ? 'an' : 'a'} ${name} of ${wanted.length} elements`, value);
  const index = findNonFinite(value as StatePart);
  if (index >= 0)
    throw new ArgumentError(`${path}[${index}]`, 'a finite number', 'NaN or infinity');
}

/** The index of the first element that is NaN or infinite; -1 without one. */
function findNonFinite(values: StatePart): number {
  if (isFloat32Array(values)) {
    // x - x is 0 for finite numbers alone.
    for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return i;
  } else if (isTypedArray('Uint16Array', values)) {
    for (let i = 0; i < values.length; i++) if ((values[i] & 0x7f80) === 0x7f80) return i;
  }
  return -1;
}

/**
 * Reads elements of a moment as numbers.
 * @param square whether it is a second moment, whose 8-bit codes differ
 */
export function readerOf(array: StateArray, square: boolean): (i: number) => number {
  if (!('dtype' in array)) return (i) => array[i];
  if (array.dtype === 'bf16') {
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    return (i) => {
      word[0] = array.bits[i] << 16;
      return float[0];
    };
  }
  const magnitude = square ? secondMomentOf : firstMomentOf;
  return (i) => magnitude(array.codes[i]) * array.scales[Math.floor(i / SCALE_BLOCK)];
}

/** The code of assembly/state/eight-bit.ts, relative to its scale. */
function secondMomentOf(code: number): number {
  return code === 0 ? 0 : 2 ** ((code >> 3) - 32) * (1 + (code & 7) / 8);
}

/** The magnitude alone. */
function firstMomentOf(code: number): number {
  return 2 ** (((code >> 3) & 15) - 16) * (1 + (code & 7) / 8) - 2 ** -16;
}
