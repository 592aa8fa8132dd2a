/** Checks of arguments. All throw ArgumentError naming the argument, what was expected and what came; none repairs. */
import { ArgumentError } from './errors';

/** A value as an error message shows it: short, and telling its type. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length <= 8 ? `[${value.map(describe).join(', ')}]` : `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Float32Array).length ?? value.byteLength})`;
  if (typeof value === 'object' && value !== null) {
    const name = Object.getPrototypeOf(value)?.constructor?.name;
    return name && name !== 'Object' ? `an instance of ${name}` : 'an object';
  }
  return String(value);
}

/** Throws the error of a failed check. */
export function fail(argument: string, expected: string, value: unknown): never {
  throw new ArgumentError(argument, expected, describe(value));
}

/** A finite number in [low, high], or [low, high) and so on, as `interval` writes it. */
export function checkNumber(argument: string, value: unknown, interval: string, inside: (x: number) => boolean): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !inside(value)) fail(argument, `a number in ${interval}`, value);
  return value;
}

/** An integer in [low, high]. */
export function checkInteger(argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    fail(argument, `an integer in [${low}, ${high}]`, value);
  }
  return value;
}

/** A learning rate, or what is multiplied by one: a number in [0, 2^64), so that products of two are finite in float32. */
export function isRate(x: unknown): x is number {
  return typeof x === 'number' && x >= 0 && x < 2 ** 64;
}

/** One of a few strings. */
export function checkChoice<T extends string>(argument: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) fail(argument, choices.map((choice) => `'${choice}'`).join(' or '), value);
  return value as T;
}

/** A checked copy of an options object: its getters, if it has any, are read once. */
export function copyOptions<T extends object>(argument: string, value: T, known: readonly string[]): T {
  checkOptions(argument, value, known);
  return { ...value };
}

/** A plain options object with no other keys than `known`. */
export function checkOptions(argument: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(argument, 'an options object', value);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new ArgumentError(`${argument}.${key}`, `one of ${known.join(', ')}`, 'an unknown option');
  }
}
