/**
 * A parameter's state as tensors of a checkpoint, and back.
 *
 *     in the state dict                    in the file
 *     Float32Array                         F32   <parameter>.<array>
 *     { dtype: 'bf16', bits }              BF16  <parameter>.<array>
 *     { dtype: '8bit', codes, scales }     U8    <parameter>.<array>, F32 <parameter>.<array>.scales
 *     Int16Array                           I64   <parameter>.<array>
 *
 * AdaL's m = m'·2^e and v = v'·2^(2e) are saved as they are, `exp_avg` and `exp_avg_sq`, where that
 * loses nothing; otherwise as the scaled m' and v', `adal_m` and `adal_v`.
 *
 * Invariant: what is read back is what was written, bit for bit; there is one form of AdaL's state
 * in a file, never both.
 */
import { pow2 } from '../math/exponent';
import type { StateArray } from '../optimizers/state-array';
import { fail, isFloat32Array, isTypedArray } from '../validate';
import type { SafetensorsInput } from './safetensors';
import { checkShape, quote, refuse, type TensorSupply } from './tensor-names';

/** State arrays by name. */
export type StateArrays = Readonly<Record<string, StateArray>>;

/** The arrays of AdaL: in the state dict, in true scale, scaled. */
const ADAL = ['m', 'v'] as const;
const ADAL_TRUE = ['exp_avg', 'exp_avg_sq'] as const;
const ADAL_SCALED = ['adal_m', 'adal_v'] as const;

const ADAL_STORED: readonly string[] = [...ADAL_TRUE, ...ADAL_SCALED];

const MIN_NORMAL = 2 ** -126;
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
/** No float32 but 0 is one still after so many doublings or halvings. */
const MAX_SHIFT = 300;

/** The names that a parameter's state may have in files, whatever its values. */
export function storedNames(algorithm: string, arrays: StateArrays): string[] {
  if (algorithm !== 'adal') return Object.keys(arrays);
  return [...ADAL_STORED, ...withoutMoments(arrays).map(([name]) => name)];
}

/**
 * The arrays as a file has them.
 * @param path of the arrays, for messages
 */
export function toStored(
  algorithm: string,
  arrays: StateArrays,
  exponent: number,
  path: string,
): [name: string, array: StateArray][] {
  if (algorithm !== 'adal') return Object.entries(arrays);
  for (const name of ADAL)
    if (arrays[name] === undefined) fail(`${path}.${name}`, 'an array', undefined);
  const further = withoutMoments(arrays);
  const clash = further.find(([name]) => ADAL_STORED.includes(name))?.[0];
  if (clash !== undefined) fail(`${path}.${clash}`, 'a name that m and v are not stored by', clash);
  const { m, v } = arrays;
  // Rows with exponents of their own have no one scale.
  const plain =
    isFloat32Array(m) &&
    isFloat32Array(v) &&
    !further.some(([, array]) => isTypedArray('Int16Array', array));
  const trueM = plain ? shift(m, exponent, isZeroOrNormal) : null;
  const trueV = plain ? shift(v, 2 * exponent, isZeroOrNormal) : null;
  const [names, moments] = trueM && trueV ? [ADAL_TRUE, [trueM, trueV]] : [ADAL_SCALED, [m, v]];
  return [[names[0], moments[0]], [names[1], moments[1]], ...further];
}

/**
 * The arrays as a state dict has them.
 * @param label of the parameter, for messages
 */
export function fromStored(
  algorithm: string,
  stored: StateArrays,
  exponent: number,
  label: string,
): Record<string, StateArray> {
  const arrays: Record<string, StateArray> = Object.create(null);
  if (algorithm !== 'adal') return Object.assign(arrays, stored);
  const [asTrue, asScaled] = [ADAL_TRUE, ADAL_SCALED].map((names) =>
    names.filter((name) => Object.hasOwn(stored, name)),
  );
  const names = asTrue.length > 0 ? ADAL_TRUE : ADAL_SCALED;
  if (asTrue.length + asScaled.length !== 2 || asTrue.length === 1) {
    const expected = `either ${ADAL_TRUE.join(' and ')} or ${ADAL_SCALED.join(' and ')}`;
    refuse(
      'state',
      `the state of ${label}`,
      expected,
      [...asTrue, ...asScaled].join(', ') || 'none of them',
    );
  }
  for (const [index, name] of names.entries()) {
    const array = stored[name];
    arrays[ADAL[index]] =
      names === ADAL_TRUE
        ? toScaled(array, -(index + 1) * exponent, `${label}, array ${name},`)
        : array;
  }
  for (const [name, array] of Object.entries(stored))
    if (!(names as readonly string[]).includes(name)) arrays[name] = array;
  return arrays;
}

function withoutMoments(arrays: StateArrays): [name: string, array: StateArray][] {
  return Object.entries(arrays).filter(([name]) => !(ADAL as readonly string[]).includes(name));
}

function toScaled(array: StateArray, exponent: number, label: string): Float32Array {
  if (!isFloat32Array(array)) refuse('dtype', label, 'F32', 'another type');
  return (
    shift(array, exponent, isFloat32) ??
    refuse('state', label, `float32 numbers also when multiplied by 2^${exponent}`, 'others')
  );
}

/** values·2^k, exactly; null when a product is not `allowed`. */
function shift(
  values: Float32Array,
  k: number,
  allowed: (x: number) => boolean,
): Float32Array | null {
  const factor = pow2(Math.max(-MAX_SHIFT, Math.min(MAX_SHIFT, k)));
  const shifted = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const x = values[i] * factor;
    if (!allowed(x)) return null;
    shifted[i] = x;
  }
  return shifted;
}

/** Whether float32 holds it with all 24 bits of precision. */
function isZeroOrNormal(x: number): boolean {
  const magnitude = Math.abs(x);
  return x === 0 || (magnitude >= MIN_NORMAL && magnitude <= MAX_FLOAT);
}

function isFloat32(x: number): boolean {
  return Math.fround(x) === x && Math.abs(x) <= MAX_FLOAT;
}

/** The tensors of one array; the first one's shape is `shape`. */
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

/** Elements of an array, scales apart. */
export function lengthOf(array: StateArray): number {
  if (!('dtype' in array)) return array.length;
  return array.dtype === 'bf16' ? array.bits.length : array.codes.length;
}

/**
 * The array whose tensors were saved under a name: its kind follows from the type of their
 * elements.
 * @param shape of the first tensor
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
      if (scales.shape.length !== 1)
        refuse(
          'shape',
          `tensor ${quote(name + SCALES)}`,
          'one dimension',
          `[${scales.shape.join(', ')}]`,
        );
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
      refuse('state', `tensor ${quote(name)}`, 'numbers of 16 bits', `${values[i]}`);
  }
  return numbers;
}
