/**
 * The arrays of an optimizer's state as state dicts hold them: plain numbers, or one of the compact codes.
 *
 *     Float32Array                               float32
 *     { dtype: 'bf16', bits }                    bfloat16, raw bits
 *     { dtype: '8bit', codes, scales }           a code an element, a scale a block
 *     Int16Array                                 whole numbers, such as the rows' exponents of a sparse tensor
 *
 * Invariant: an array is loaded only into one of its own kind and sizes, and never with NaN or infinity in it.
 */
import { ArgumentError } from '../errors';
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

/** The typed arrays it consists of, by the keys that lead to them; the key is '' where the array is one itself. */
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
 * Checks that `value` may be written into `target`: the same kind, the same sizes, nothing but finite numbers.
 * @throws ArgumentError naming the typed array, or the element, that does not fit
 */
export function checkStateArray(path: string, value: unknown, target: StateArray): asserts value is StateArray {
  const given = (value ?? {}) as Record<string, unknown>;
  if ('dtype' in target && given.dtype !== target.dtype) fail(path, `{ dtype: '${target.dtype}', … }`, given.dtype ?? value);
  for (const [key, wanted] of partsOf(target)) checkPart(path + key, key === '' ? value : given[key.slice(1)], wanted);
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
    fail(path, "a Float32Array, an Int16Array, { dtype: 'bf16', bits } or { dtype: '8bit', codes, scales }", value);
  }
}

function checkPart(path: string, value: unknown, wanted: StatePart): void {
  const name = typedArrayName(wanted)!;
  const ofKind = typedArrayName(value) === name && (value as StatePart).length === wanted.length;
  if (!ofKind) fail(path, `${name.startsWith('I') ? 'an' : 'a'} ${name} of ${wanted.length} elements`, value);
  const index = findNonFinite(value as StatePart);
  if (index >= 0) throw new ArgumentError(`${path}[${index}]`, 'a finite number', 'NaN or infinity');
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
