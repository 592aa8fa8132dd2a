/**
 * Hyperparameters: what each may be, what it is by default. An optimizer lists its fields once;
 * options, groups and state dicts are all checked by that list.
 *
 * Kernels compute with float32 constants, so the ranges are of what the numbers become there: an
 * averaging factor that would round to 1 is refused, and so is a rate that would round to infinity
 * or lead there.
 */
import type { LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, fail, isRate } from '../validate';
import { STATE_FORMATS, type StateFormat } from './state-formats';

/** One hyperparameter. `where` follows the argument's name in errors. */
export interface Field<T> {
  readonly default: T;
  /** Whether a group keeps for good what it was created with. */
  readonly fixed?: boolean;
  /** Whether memory is laid out by it: a state dict must have the same. */
  readonly laysOut?: boolean;
  check(argument: string, value: unknown, where: string): T;
}

/** All hyperparameters of an optimizer that a group may set for itself. */
export type Fields<H> = { readonly [K in keyof H]-?: Field<H[K]> };

/** What every optimizer's groups have. */
export interface BaseHyperparameters {
  lr: LearningRate;
  weightDecay: number;
}

/** Hyperparameters of a group whose optimizer the compiler does not know. */
export interface AnyHyperparameters extends BaseHyperparameters {
  [hyperparameter: string]: unknown;
}

/**
 * Options of an optimizer that hold for all of its groups and never change, as its state dicts
 * have them.
 */
export type FixedOptions = Readonly<
  Record<string, number | string | boolean | null | { readonly [key: string]: number | string }>
>;

/** Two averaging factors. */
export type Betas = readonly [number, number];

/** A learning rate: a number in [0, 2^64), or a function. */
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

/** A number in [0, 2^64). */
export function nonNegative(byDefault: number): Field<number> {
  return number(byDefault, '[0, 2^64)', isRate);
}

/** ε where it is added to a root in float32: 0, or a number in [2^-126, 2^64). */
export function epsilon(byDefault: number): Field<number> {
  return number(byDefault, '{0} ∪ [2^-126, 2^64)', (x) => x === 0 || (x >= 2 ** -126 && isRate(x)));
}

/** An averaging factor: a number in [0, 1) that float32 does not round to 1. */
export function fraction(byDefault: number): Field<number> {
  return number(byDefault, FACTORS, isFactor);
}

/** A number in [2^-60, 2^64). */
export function positive(byDefault: number): Field<number> {
  return number(byDefault, '[2^-60, 2^64)', (x) => x >= 2 ** -60 && isRate(x));
}

/** What averages over so many steps that float32 rounds its factor to 1 never forgets. */
const FACTORS = '[0, 1 - 2^-25)';
const isFactor = (x: number): boolean => x >= 0 && Math.fround(x) < 1;

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

/** How compact state is kept, with the size below which it is not worth it. Both are for good. */
export interface CompactStateOptions {
  /**
   * How first and second moments are kept: as float32 (8 bytes a parameter), bfloat16 (4), or a
   * byte each and a scale for every 256 (2.03). Compact second moments are rounded stochastically,
   * by `seed`.
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
 * Rates that kernels divide by √v + ε before they multiply: the quotient must be finite wherever
 * the divisor is not 0.
 * @param rate with its bias correction
 * @param eps what the divisor is at least; 0 for the root of the smallest float32
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
 * The L1 norm of a tensor's gradient from which on a step with it is refused: squares would
 * overflow, or the move could.
 * @param rate with its bias correction, at most
 * @param divisor the least that a moment is divided by; 1 where its quotient by the root is bounded
 */
export function normLimit(rate: number, divisor: number): number {
  return Math.min(SQUARE_LIMIT, (MOVE_LIMIT * divisor) / Math.max(rate, 2 ** -126));
}

/** The least that √v + ε may be where it is not 0. */
export function leastDivisor(eps: number): number {
  return Math.max(eps, SMALLEST_ROOT);
}

/** Every field of `given` that is there, checked; the others from `defaults`. */
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

/** The default of every field. */
export function defaultsOf<H extends object>(fields: Fields<H>): H {
  const values = {} as H;
  for (const name of Object.keys(fields) as (keyof H)[]) values[name] = fields[name].default;
  return values;
}
