/**
 * What the numbers of an optimizer's state must be for its rule to make sense of them, whichever
 * file they come from. `loadStateDict` asks the same again, and whether they fit its optimizer.
 */
import type { StateArray } from '../optimizers/state-array';
import { isFloat32Array } from '../validate';

/** State arrays that are means or sums of squares, or the largest of such: never negative. */
const SQUARES: ReadonlySet<string> = new Set([
  'v',
  'adal_v',
  'exp_avg_sq',
  'exp_avg_var',
  'max_exp_avg_sq',
  'square_avg',
  'sum',
]);

/** Counters of a parameter, and what they may be. */
const COUNTERS: Readonly<
  Record<string, readonly [expected: string, isRight: (x: number) => boolean]>
> = {
  step: ['an integer in [0, 2^31 - 1]', (x) => Number.isInteger(x) && x >= 0 && x < 2 ** 31],
  exponent: ['an integer in [-1100, 1100]', (x) => Number.isInteger(x) && Math.abs(x) <= 1100],
  V: ['a number ≥ 0', (x) => x >= 0],
  beta1Power: ['a number in [0, 1]', (x) => x >= 0 && x <= 1],
  beta2Power: ['a number in [0, 1]', (x) => x >= 0 && x <= 1],
  normMean: ['a number ≥ 0', (x) => x >= 0],
};

/** What is wrong with a number of the state. */
export interface WrongValue {
  /** Of the typed array in the state array: '', '.bits' or '.scales'. */
  readonly part: string;
  readonly index: number;
  readonly expected: string;
  readonly got: string;
}

/** The first counter that is not as it should be; null without one. */
export function findWrongCounter(
  counters: Readonly<Record<string, unknown>>,
): { key: string; expected: string; value: unknown } | null {
  for (const [key, [expected, isRight]] of Object.entries(COUNTERS)) {
    const value = counters[key];
    if (typeof value !== 'number' || !isRight(value)) return { key, expected, value };
  }
  return null;
}

/**
 * The first element of a state array that is not finite or, where it holds squares, is negative;
 * null without one.
 * @param key of the array in its state, such as `exp_avg_sq`; '' of a parameter
 */
export function findWrongValue(key: string, array: StateArray): WrongValue | null {
  const squares = SQUARES.has(key);
  if (isFloat32Array(array)) return findInFloats('', array, squares);
  if (!('dtype' in array)) return null;
  return array.dtype === '8bit'
    ? findInFloats('.scales', array.scales, true)
    : findInBits(array.bits, squares);
}

function findInFloats(part: string, values: Float32Array, squares: boolean): WrongValue | null {
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    // x - x is 0 for finite numbers alone.
    if (x - x !== 0 || (squares && x < 0)) return wrong(part, i, squares, `${x}`);
  }
  return null;
}

function findInBits(bits: Uint16Array, squares: boolean): WrongValue | null {
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    if ((word & 0x7f80) === 0x7f80) return wrong('.bits', i, squares, 'NaN or infinity');
    if (squares && word > 0x8000) return wrong('.bits', i, squares, 'a negative number');
  }
  return null;
}

function wrong(part: string, index: number, squares: boolean, got: string): WrongValue {
  return { part, index, expected: `${squares ? 'finite numbers ≥ 0' : 'finite numbers'}`, got };
}
