/**
 * A parameter's state arrays as tensors of a checkpoint, and back.
 *
 *     in the state dict                    in the file
 *     Float32Array                         F32   <parameter>.<array>
 *     { dtype: 'bf16', bits }              BF16  <parameter>.<array>
 *     { dtype: '8bit', codes, scales }     U8    <parameter>.<array>
 *                                          F32   <parameter>.<array>.scales
 *     Int16Array                           I64   <parameter>.<array>
 *
 * Invariant: decoding returns what was encoded, bit for bit.
 */
import type { StateArray } from '../optimizers/state-array';
import { isFloat32Array, isTypedArray } from '../validate';
import { decodeMoments, encodeMoments, fileNamesOfAdal } from './adal-moments';
import { checkShape, quote, refuse, type TensorSupply } from './named-tensors';
import type { SafetensorsInput } from './safetensors';
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
  if (array.dtype === 'bf16') return [['', { dtype: 'BF16', shape, data: array.bits }]];
  return [
    ['', { shape, data: array.codes }],
    [SCALES, { shape: [array.scales.length], data: array.scales }],
  ];
}

const SCALES = '.scales';

/** Returns the number of elements of an array, without its scales. */
export function lengthOf(array: StateArray): number {
  if (!('dtype' in array)) return array.length;
  return array.dtype === 'bf16' ? array.bits.length : array.codes.length;
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
    case 'BF16':
      return { dtype: 'bf16', bits: tensor.data };
    case 'I64':
      return toInt16(tensor.data, name);
    case 'U8': {
      const scales = supply.takeF32(name + SCALES);
      const sizes = `[${scales.shape.join(', ')}]`;
      if (scales.shape.length !== 1)
        refuse('shape', `tensor ${quote(name + SCALES)}`, 'one dimension', sizes);
      return { dtype: '8bit', codes: tensor.data, scales: scales.data };
    }
    default:
      return refuse('dtype', `tensor ${quote(name)}`, 'F32, BF16, U8 or I64', tensor.dtype);
  }
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
