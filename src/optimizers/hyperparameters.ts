/**
 * Hyperparameters: ranges and defaults. An optimizer lists its fields once, and options, groups and
 * state dicts are all checked against that list.
 *
 * Kernels compute with float32 constants, so ranges apply to the rounded numbers: an averaging
 * factor that rounds to 1 is refused, and so is a rate that rounds to infinity.
 */
import type { LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, fail, isRate } from '../validate';
import { STATE_FORMATS, type StateFormat } from './state-formats';

/** One hyperparameter. `where` follows the argument's name in errors. */
export interface Field<T> {
  readonly default: T;
  /** Whether a group keeps the value that it was created with. */
  readonly fixed?: boolean;
  /** Whether the layout of memory depends on it, so that a state dict must have the same value. */
  readonly laysOut?: boolean;
  check(argument: string, value: unknown, where: string): T;
}

/** The hyperparameters of an optimizer that a param group can override. */
export type Fields<H> = { readonly [K in keyof H]-?: Field<H[K]> };

/** Hyperparameters of every optimizer. */
export interface BaseHyperparameters {
  lr: LearningRate;
  weightDecay: number;
}

/** Hyperparameters of a group whose optimizer the compiler does not know. */
export interface AnyHyperparameters extends BaseHyperparameters {
  [hyperparameter: string]: unknown;
}

/**
 * Options of an optimizer that hold for all of its groups and never change, in the form that state
 * dicts store.
 */
export type FixedOptions = Readonly<
  Record<string, number | string | boolean | null | { readonly [key: string]: number | string }>
>;

/** Two averaging factors. */
export type Betas = readonly [number, number];

/** Declares a learning rate: a number in [0, 2^64), or a function. */
export function learningRate(byDefault: number): Field<LearningRate> {
  return {
    default: byDefault,
    check(argument, value, where) {
      if (typeof value === 'function') return value as LearningRate;
      return isRate(value)
        ? value
        : fail(argument + where, 'a number in [0, 2^64) or a function of the step', value);
    },
  };
}

/** Declares a number in [0, 2^64). */
export function nonNegative(byDefault: number): Field<number> {
  return number(byDefault, '[0, 2^64)', isRate);
}

/** Declares an ε that is added to a root in float32: 0, or a number in [2^-126, 2^64). */
export function epsilon(byDefault: number): Field<number> {
  return number(byDefault, '{0} ∪ [2^-126, 2^64)', (x) => x === 0 || (x >= 2 ** -126 && isRate(x)));
}

/** Declares an ε under a root that must not vanish: a number in [2^-126, 2^64). */
export function positiveEpsilon(byDefault: number): Field<number> {
  return number(byDefault, '[2^-126, 2^64)', (x) => x >= 2 ** -126 && isRate(x));
}

/** Declares an averaging factor: a number in [0, 1) that float32 does not round to 1. */
export function fraction(byDefault: number): Field<number> {
  return number(byDefault, FACTORS, isFactor);
}

/** A number in [2^-60, 2^64). */
export function positive(byDefault: number): Field<number> {
  return number(byDefault, '[2^-60, 2^64)', (x) => x >= 2 ** -60 && isRate(x));
}

/** Averaging factors. One that float32 rounds to 1 would never forget. */
export const FACTORS = '[0, 1 - 2^-25)';
export const isFactor = (x: number): boolean => x >= 0 && Math.fround(x) < 1;

function number(
  byDefault: number,
  interval: string,
  inside: (x: number) => boolean,
): Field<number> {
  return {
    default: byDefault,
    check: (argument, value, where) => checkNumber(argument + where, value, interval, inside),
  };
}

/** Hyperparameters of compact state. A group keeps those that it was created with. */
export interface CompactStateOptions {
  /**
   * Format of first and second moments: float32 (8 bytes a parameter), bfloat16 (4), or one byte
   * each, with a scale for every 256 elements (2.03). Compact second moments are rounded
   * stochastically, by `seed`.
   * @default 'f32'
   */
  readonly state: StateFormat;
  /**
   * Number of elements below which a parameter keeps float32 state under '8bit': an integer in
   * [0, 2^32].
   * @default 4096
   */
  readonly min8bitSize: number;
}

export const COMPACT_STATE_FIELDS: Fields<CompactStateOptions> = {
  state: {
    default: 'f32',
    fixed: true,
    laysOut: true,
    check: (argument, value, where) => checkChoice(argument + where, value, STATE_FORMATS),
  },
  min8bitSize: {
    default: 4096,
    fixed: true,
    laysOut: true,
    check: (argument, value, where) => checkInteger(argument + where, value, 0, 2 ** 32),
  },
};

/** Two averaging factors, each in [0, 1 - 2^-25). */
export function averagingFactors(byDefault: Betas): Field<Betas> {
  return {
    default: Object.freeze([...byDefault] as const),
    fixed: true,
    check(argument, value, where) {
      if (!Array.isArray(value) || value.length !== 2)
        fail(argument + where, 'a pair of numbers', value);
      const check = (index: number): number =>
        checkNumber(`${argument}[${index}]${where}`, value[index], FACTORS, isFactor);
      return Object.freeze([check(0), check(1)] as const);
    },
  };
}

/**
 * Decoupled decay multiplies weights by 1 - lr·λ at every step: beyond 2 they would grow without
 * any gradient, to infinity in the end.
 * @param lr of the coming step
 */
export function checkDecay(lr: number, weightDecay: number, where: string): void {
  if (lr * weightDecay <= 2) return;
  fail(`weightDecay${where}`, `a number of at most 2/lr = ${(2 / lr).toPrecision(3)}`, weightDecay);
}

/** 2^-75: no root of a float32 above 0 is below it. */
const SMALLEST_ROOT = 2 ** -75;

/**
 * Checks a rate that kernels divide by √v + ε before they multiply: the quotient must be finite
 * wherever the divisor is not 0.
 * @param rate the rate with its bias correction
 * @param eps the least divisor; 0 for the root of the smallest float32
 * @throws ArgumentError for a learning rate that is too large
 */
export function checkQuotient(lr: number, rate: number, eps: number): void {
  const limit = 2 ** 126 * (eps > 0 ? eps : SMALLEST_ROOT);
  if (rate >= limit)
    fail(
      'lr',
      `a number below ${((limit / rate) * lr).toPrecision(3)}, where steps overflow float32`,
      lr,
    );
}

/** Below this a gradient's square stays within float32, with room for sums. */
const SQUARE_LIMIT = 2 ** 63;
/** Weights near it would overflow float32 within a few steps. */
export const MOVE_LIMIT = 2 ** 120;

/**
 * Returns the least L1 norm of a tensor's gradient that refuses a step, because squares would
 * overflow or the move could.
 * @param rate the largest rate, with its bias correction
 * @param divisor the least divisor of a moment; 1 where its quotient by the root is bounded
 */
export function normLimit(rate: number, divisor: number): number {
  return Math.min(SQUARE_LIMIT, (MOVE_LIMIT * divisor) / Math.max(rate, 2 ** -126));
}

/** Returns the least value of √v + ε where it is not 0. */
export function leastDivisor(eps: number): number {
  return Math.max(eps, SMALLEST_ROOT);
}

/** Checks the fields that `given` has; takes the others from `defaults`. */
export function checkFields<H extends object>(
  fields: Fields<H>,
  given: Partial<H>,
  defaults: H,
  where: string,
): H {
  const values = { ...defaults };
  for (const name of Object.keys(fields) as (keyof H & string)[]) {
    const value = given[name];
    if (value !== undefined) values[name] = fields[name].check(name, value, where);
  }
  return values;
}

/** Returns the default of every field. */
export function defaultsOf<H extends object>(fields: Fields<H>): H {
  const values = {} as H;
  for (const name of Object.keys(fields) as (keyof H)[]) values[name] = fields[name].default;
  return values;
}
