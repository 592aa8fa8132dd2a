/**
 * AdaL's moments in a checkpoint.
 *
 * The optimizer keeps m = m'·2^e and v = v'·2^(2e) as the scaled m' and v' and the exponent e. A
 * file holds m and v themselves, as `exp_avg` and `exp_avg_sq`, if every element of both is 0 or a
 * normal float32 number. Otherwise, and for compact state and sparse rows, it holds m' and v', as
 * `adal_m` and `adal_v`.
 *
 * Invariant: decoding returns what was encoded, bit for bit; a file holds one of the two forms.
 */
import { pow2 } from '../math/exponent';
import type { StateArray } from '../optimizers/state-array';
import { fail, isFloat32Array, isTypedArray } from '../validate';
import { refuse } from './named-tensors';
import type { StateArrays, StateScalars } from './state-values';

/** Names of the two arrays in the state dict, in a file in true scale, and in a file scaled. */
const MOMENTS = ['m', 'v'] as const;
const IN_TRUE_SCALE = ['exp_avg', 'exp_avg_sq'] as const;
const SCALED = ['adal_m', 'adal_v'] as const;

/** Every name that one of the moments may have in a file. */
const FILE_NAMES: readonly string[] = [...IN_TRUE_SCALE, ...SCALED];

const MIN_NORMAL = 2 ** -126;
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
/** After this many doublings or halvings, every float32 number but 0 is out of range. */
const MAX_SHIFT = 300;
/** No gradients lead to an exponent beyond this. */
const MAX_EXPONENT = 1100;

/** Ranges of AdaL's own scalars. */
const SCALARS = {
  exponent: [`an integer in [-${MAX_EXPONENT}, ${MAX_EXPONENT}]`, isExponent],
  V: ['a number ≥ 0', isNotNegative],
  normMean: ['a number ≥ 0', isNotNegative],
} as const;

/** Returns the first of AdaL's own scalars that is missing or out of range; null if none is. */
export function findWrongAdalScalar(
  scalars: StateScalars,
): { key: string; expected: string; value: unknown } | null {
  for (const [key, [expected, isRight]] of Object.entries(SCALARS)) {
    const value = scalars[key];
    if (typeof value !== 'number' || !isRight(value)) return { key, expected, value };
  }
  return null;
}

/** Returns the names that AdaL's state arrays may have in files, whatever their values. */
export function fileNamesOfAdal(arrays: StateArrays): string[] {
  return [...FILE_NAMES, ...withoutMoments(arrays).map(([name]) => name)];
}

/**
 * Returns the arrays of AdaL's state under the names and in the scale of the file.
 *
 * @param path of the arrays, for messages
 */
export function encodeMoments(
  arrays: StateArrays,
  exponent: number,
  path: string,
): [name: string, array: StateArray][] {
  for (const name of MOMENTS)
    if (arrays[name] === undefined) fail(`${path}.${name}`, 'an array', undefined);
  const others = withoutMoments(arrays);
  const clash = others.find(([name]) => FILE_NAMES.includes(name))?.[0];
  if (clash !== undefined)
    fail(`${path}.${clash}`, `a name other than ${FILE_NAMES.join(', ')}`, clash);
  const { m, v } = arrays;
  // Sparse rows have an exponent each, so there is no scale common to all elements.
  const hasOneScale =
    isFloat32Array(m) &&
    isFloat32Array(v) &&
    !others.some(([, array]) => isTypedArray('Int16Array', array));
  const trueM = hasOneScale ? multiply(m, exponent, isZeroOrNormal) : null;
  const trueV = hasOneScale ? multiply(v, 2 * exponent, isZeroOrNormal) : null;
  const [names, moments] = trueM && trueV ? [IN_TRUE_SCALE, [trueM, trueV]] : [SCALED, [m, v]];
  return [[names[0], moments[0]], [names[1], moments[1]], ...others];
}

/**
 * Returns the arrays of AdaL's state as the state dict has them.
 *
 * @param label the parameter, for messages
 * @throws CheckpointError with the reason `'state'` or `'dtype'`
 */
export function decodeMoments(
  stored: StateArrays,
  exponent: number,
  label: string,
): Record<string, StateArray> {
  const arrays: Record<string, StateArray> = Object.create(null);
  const found = FILE_NAMES.filter((name) => Object.hasOwn(stored, name));
  const names = [IN_TRUE_SCALE, SCALED].find((pair) => found.join() === pair.join());
  if (!names) {
    const expected = `either ${IN_TRUE_SCALE.join(' and ')} or ${SCALED.join(' and ')}`;
    refuse('state', `the state of ${label}`, expected, found.join(', ') || 'none of them');
  }
  for (const [index, name] of names.entries()) {
    const array = stored[name];
    arrays[MOMENTS[index]] =
      names === SCALED
        ? array
        : toScaled(array, -(index + 1) * exponent, `${label}, array ${name},`);
  }
  for (const [name, array] of Object.entries(stored))
    if (!FILE_NAMES.includes(name)) arrays[name] = array;
  return arrays;
}

function withoutMoments(arrays: StateArrays): [name: string, array: StateArray][] {
  return Object.entries(arrays).filter(([name]) => !(MOMENTS as readonly string[]).includes(name));
}

function toScaled(array: StateArray, exponent: number, label: string): Float32Array {
  if (!isFloat32Array(array)) refuse('dtype', label, 'F32', 'another type');
  return (
    multiply(array, exponent, isFloat32) ??
    refuse('state', label, `numbers that float32 holds when multiplied by 2^${exponent}`, 'others')
  );
}

/** Returns values·2^k, which is exact; null if a product is not `allowed`. */
function multiply(
  values: Float32Array,
  k: number,
  allowed: (x: number) => boolean,
): Float32Array | null {
  const factor = pow2(Math.max(-MAX_SHIFT, Math.min(MAX_SHIFT, k)));
  const products = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const x = values[i] * factor;
    if (!allowed(x)) return null;
    products[i] = x;
  }
  return products;
}

/** Tells whether float32 holds the number with all 24 bits of precision. */
function isZeroOrNormal(x: number): boolean {
  const magnitude = Math.abs(x);
  return x === 0 || (magnitude >= MIN_NORMAL && magnitude <= MAX_FLOAT);
}

function isFloat32(x: number): boolean {
  return Math.fround(x) === x && Math.abs(x) <= MAX_FLOAT;
}

function isExponent(x: number): boolean {
  return Number.isInteger(x) && Math.abs(x) <= MAX_EXPONENT;
}

function isNotNegative(x: number): boolean {
  return x >= 0;
}
