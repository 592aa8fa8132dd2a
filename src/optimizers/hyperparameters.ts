/**
 * Hyperparameters: what each may be, what it is by default. An optimizer lists its fields once; options, groups and state
 * dicts are all checked by that list.
 */
import type { LearningRate } from '../types';
import { checkChoice, checkInteger, checkNumber, fail } from '../validate';
import type { StateFormat } from './compact-tensor';

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

/** Hyperparameters that some optimizer has: what may stand in a group whose optimizer is not known to the compiler. */
export interface AnyHyperparameters extends BaseHyperparameters, CompactStateOptions {
  betas: Betas;
  eps: number;
  l2: number;
  alpha: number;
  momentumDecay: number;
  finalLr: number;
  gamma: number;
}

/** Two averaging factors. */
export type Betas = readonly [number, number];

/** A learning rate. */
export function learningRate(byDefault: number): Field<LearningRate> {
  return {
    default: byDefault,
    check(argument, value, where) {
      if (typeof value === 'function') return value as LearningRate;
      if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
        fail(argument + where, 'a number in [0, ∞) or a function of the step', value);
      }
      return value;
    },
  };
}

/** A number in [0, ∞). */
export function nonNegative(byDefault: number): Field<number> {
  return number(byDefault, '[0, ∞)', (x) => x >= 0);
}

/** A number in [0, 1). */
export function fraction(byDefault: number): Field<number> {
  return number(byDefault, '[0, 1)', (x) => x >= 0 && x < 1);
}

/** A number in (0, ∞). */
export function positive(byDefault: number): Field<number> {
  return number(byDefault, '(0, ∞)', (x) => x > 0);
}

function number(byDefault: number, interval: string, inside: (x: number) => boolean): Field<number> {
  return { default: byDefault, check: (argument, value, where) => checkNumber(argument + where, value, interval, inside) };
}

/** How compact state is kept, with the size below which it is not worth it. Both are for good. */
export interface CompactStateOptions {
  /**
   * How first and second moments are kept: as float32 (8 bytes a parameter), bfloat16 (4), or a byte each and a scale for
   * every 256 (2.03). Compact second moments are rounded stochastically, by `seed`.
   * @default 'f32'
   */
  state: StateFormat;
  /** With '8bit', a parameter of fewer elements keeps float32 state. @default 4096 */
  min8bitSize: number;
}

export const COMPACT_STATE_FIELDS: Fields<CompactStateOptions> = {
  state: {
    default: 'f32',
    fixed: true,
    laysOut: true,
    check: (argument, value, where) => checkChoice(argument + where, value, ['f32', 'bf16', '8bit']),
  },
  min8bitSize: {
    default: 4096,
    fixed: true,
    laysOut: true,
    check: (argument, value, where) => checkInteger(argument + where, value, 0, 2 ** 32),
  },
};

/** Two averaging factors, each in [0, 1). */
export function averagingFactors(byDefault: Betas): Field<Betas> {
  return {
    default: Object.freeze([...byDefault] as const),
    fixed: true,
    check(argument, value, where) {
      if (!Array.isArray(value) || value.length !== 2) fail(argument + where, 'a pair of numbers', value);
      const [beta1, beta2] = value.map((beta, index) => {
        return checkNumber(`${argument}[${index}]${where}`, beta, '[0, 1)', (x) => x >= 0 && x < 1);
      });
      return Object.freeze([beta1, beta2] as const);
    },
  };
}

/** Every field of `given` that is there, checked; the others from `defaults`. */
export function checkFields<H extends object>(fields: Fields<H>, given: Partial<H>, defaults: H, where: string): H {
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
