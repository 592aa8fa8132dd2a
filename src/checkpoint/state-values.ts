/**
 * Checks of the arrays and numbers in an optimizer's state that hold for every optimizer. Later,
 * `loadStateDict` checks them again, together with the optimizer's own scalars and arrays.
 */
import { partsOf, type StateArray } from '../optimizers/state-array';
import { STATE_LAYOUTS } from '../optimizers/state-formats';
import { fail, isFloat32Array, isTypedArray } from '../validate';
import { arrayNameOf, holds } from './dtypes';

/** State arrays by name. */
export type StateArrays = Readonly<Record<string, StateArray>>;

/** A parameter's state without its arrays: its counters and the optimizer's own scalars. */
export type StateScalars = Readonly<Record<string, unknown>>;

/** Arrays that hold means, sums or maxima of squares, which are never negative. */
const SQUARES: ReadonlySet<string> = new Set([
  'v',
  'adal_v',
  'exp_avg_sq',
  'exp_avg_var',
  'max_exp_avg_sq',
  'square_avg',
  'sum',
]);

/** Ranges of numbers that mean the same in every state entry; all but `step` may be absent. */
const COUNTERS: Readonly<
  Record<string, readonly [expected: string, isRight: (x: number) => boolean]>
> = {
  step: ['an integer in [0, 2^31 - 1]', (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 31],
  beta1Power: ['a number in [0, 1]', (x) => x >= 0 && x <= 1],
  beta2Power: ['a number in [0, 1]', (x) => x >= 0 && x <= 1],
};

/** Checks that `value` is a state array, of whatever sizes and values. */
export function checkAnyStateArray(path: string, value: unknown): asserts value is StateArray {
  if (isFloat32Array(value) || isTypedArray('Int16Array', value)) return;
  const given = (value ?? {}) as Record<string, unknown>;
  const layout = STATE_LAYOUTS.find(({ name }) => name === given.dtype);
  if (!layout) {
    const coded = STATE_LAYOUTS.map(
      ({ name, parts }) => `{ dtype: '${name}', ${parts.map(({ key }) => key).join(', ')} }`,
    );
    const kinds = ['a Float32Array', 'an Int16Array', ...coded];
    fail(path, `${kinds.slice(0, -1).join(', ')} or ${kinds[kinds.length - 1]}`, value);
  }
  for (const { key, dtype } of layout.parts) {
    if (!holds(dtype, given[key])) fail(`${path}.${key}`, `a ${arrayNameOf(dtype)}`, given[key]);
  }
}

/** A number of a state array that is out of range. */
export interface WrongValue {
  /** The typed array in the state array: '', '.bits' or '.scales'. */
  readonly part: string;
  readonly index: number;
  readonly expected: string;
  readonly got: string;
}

/**
 * Returns the first number of a state entry that is out of range: a counter that is missing or
 * wrong, or a scalar of the optimizer's own that is not finite. Returns null if there is none.
 */
export function findWrongScalar(
  scalars: StateScalars,
): { key: string; expected: string; value: unknown } | null {
  for (const [key, [expected, isRight]] of Object.entries(COUNTERS)) {
    const value = scalars[key];
    if (key !== 'step' && value === undefined) continue;
    if (typeof value !== 'number' || !isRight(value)) return { key, expected, value };
  }
  for (const [key, value] of Object.entries(scalars))
    if (!Number.isFinite(value)) return { key, expected: 'a finite number', value };
  return null;
}

/**
 * Returns the first element of a state array that is not finite or, in an array of squares, is
 * negative. Returns null if there is none.
 *
 * @param key the array's name in the state, such as `exp_avg_sq`; '' for a parameter
 */
export function findWrongValue(key: string, array: StateArray): WrongValue | null {
  const squares = SQUARES.has(key);
  if (isFloat32Array(array)) return findInFloats('', array, squares);
  if (!('dtype' in array)) return null;
  // Scales are never negative; codes of a byte are all right, whatever they are.
  for (const [part, values] of partsOf(array)) {
    const found = isFloat32Array(values)
      ? findInFloats(part, values, true)
      : isTypedArray('Uint16Array', values)
        ? findInBits(part, values, squares)
        : null;
    if (found) return found;
  }
  return null;
}

function findInFloats(part: string, values: Float32Array, squares: boolean): WrongValue | null {
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    // x - x is 0 only for finite numbers.
    if (x - x !== 0 || (squares && x < 0)) return wrong(part, i, squares, `${x}`);
  }
  return null;
}

function findInBits(part: string, bits: Uint16Array, squares: boolean): WrongValue | null {
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    if ((word & 0x7f80) === 0x7f80) return wrong(part, i, squares, 'NaN or infinity');
    if (squares && word > 0x8000) return wrong(part, i, squares, 'a negative number');
  }
  return null;
}

function wrong(part: string, index: number, squares: boolean, got: string): WrongValue {
  return { part, index, expected: `${squares ? 'finite numbers ≥ 0' : 'finite numbers'}`, got };
}
