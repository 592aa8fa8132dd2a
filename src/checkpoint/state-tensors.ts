/**
 * A parameter's state arrays as tensors of a checkpoint, and back.
 *
 *     in the state dict                    in the file
 *     Float32Array                         F32   <parameter>.<array>
 *     Int16Array                           I64   <parameter>.<array>
 *     { dtype, … }, a coded moment         one tensor for each part of its format, as in
 *                                          BF16  <parameter>.<array>
 *                                          or
 *                                          U8    <parameter>.<array>
 *                                          F32   <parameter>.<array>.scales
 *
 * Invariant: decoding returns what was encoded, bit for bit.
 */
import { partsOf, type StateArray } from '../optimizers/state-array';
import { layoutOf, STATE_LAYOUTS } from '../optimizers/state-formats';
import { isFloat32Array, isTypedArray } from '../validate';
import { decodeMoments, encodeMoments, fileNamesOfAdal } from './adal-moments';
import { checkShape, quote, refuse, type TensorSupply } from './named-tensors';
import type { SafetensorsInput, SafetensorsTensor } from './safetensors';
import type { StateArrays, StateScalars } from './state-values';

/** Returns the names that a parameter's state arrays may have in files, whatever their values. */
export function fileNamesOf(algorithm: string, arrays: StateArrays): string[] {
  return algorithm === 'adal' ? fileNamesOfAdal(arrays) : Object.keys(arrays);
}

/**
 * Returns the arrays of a state under the names of the file.
 *
 * @param path of the arrays, for messages
 */
export function toFileArrays(
  algorithm: string,
  arrays: StateArrays,
  scalars: StateScalars,
  path: string,
): [name: string, array: StateArray][] {
  return algorithm === 'adal'
    ? encodeMoments(arrays, scalars.exponent as number, path)
    : Object.entries(arrays);
}

/**
 * Returns the arrays of a state under the names of the state dict.
 *
 * @param label the parameter, for messages
 * @throws CheckpointError with the reason `'state'` or `'dtype'`
 */
export function fromFileArrays(
  algorithm: string,
  stored: StateArrays,
  scalars: StateScalars,
  label: string,
): Record<string, StateArray> {
  return algorithm === 'adal'
    ? decodeMoments(stored, scalars.exponent as number, label)
    : Object.assign(Object.create(null), stored);
}

/** Returns the tensors of one array; the first of them gets the given shape. */
export function tensorsOf(
  array: StateArray,
  shape: readonly number[],
): [suffix: string, tensor: SafetensorsInput][] {
  if (isFloat32Array(array)) return [['', { shape, data: array }]];
  if (isTypedArray('Int16Array', array))
    return [['', { shape, data: BigInt64Array.from(array, BigInt) }]];
  const parts = partsOf(array);
  return layoutOf(array.dtype).parts.map(({ dtype, suffix }, index) => {
    const [, data] = parts[index];
    const own = index === 0 ? shape : [data.length];
    return [suffix, { dtype, shape: own, data } as SafetensorsInput];
  });
}

/** Returns the number of elements of an array, without its scales. */
export function lengthOf(array: StateArray): number {
  const [[, first]] = partsOf(array);
  return first.length;
}

/**
 * Takes the array whose tensors were saved under a name. The type of their elements decides which
 * kind of array it is.
 *
 * @param shape that the first tensor must have
 * @throws CheckpointError with the reason `'missing'`, `'dtype'`, `'shape'` or `'state'`
 */
export function takeArray(
  supply: TensorSupply,
  name: string,
  shape: readonly number[],
): StateArray {
  const tensor = supply.take(name);
  checkShape(name, tensor.shape, shape);
  switch (tensor.dtype) {
    case 'F32':
      return tensor.data;
    case 'I64':
      return toInt16(tensor.data, name);
    default:
      return takeCoded(supply, name, tensor);
  }
}

/** Takes a coded moment: the format is the one whose parts the file has. */
function takeCoded(supply: TensorSupply, name: string, first: SafetensorsTensor): StateArray {
  const known = STATE_LAYOUTS.filter(({ parts }) => parts[0].dtype === first.dtype);
  const hasAll = ({ parts }: (typeof known)[number]) =>
    parts.slice(1).every(({ suffix }) => supply.has(name + suffix));
  const [layout] = [...known.filter(hasAll), ...known];
  if (!layout) {
    const codes = new Set(STATE_LAYOUTS.map(({ parts }) => parts[0].dtype));
    const expected = `F32, ${[...codes].join(', ')} or I64`;
    refuse('dtype', `tensor ${quote(name)}`, expected, first.dtype);
  }
  const further = layout.parts.slice(1).map(({ key, dtype, suffix }) => {
    const tensor = supply.take(name + suffix);
    const label = `tensor ${quote(name + suffix)}`;
    if (tensor.dtype !== dtype) refuse('dtype', label, dtype, tensor.dtype);
    if (tensor.shape.length !== 1)
      refuse('shape', label, 'one dimension', `[${tensor.shape.join(', ')}]`);
    return [key, tensor.data];
  });
  const parts = [[layout.parts[0].key, first.data], ...further];
  return { dtype: layout.name, ...Object.fromEntries(parts) } as StateArray;
}

function toInt16(values: BigInt64Array, name: string): Int16Array {
  const numbers = new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    numbers[i] = Number(values[i]);
    if (BigInt(numbers[i]) !== values[i])
      refuse('state', `tensor ${quote(name)}`, '16-bit integers', `${values[i]}`);
  }
  return numbers;
}
