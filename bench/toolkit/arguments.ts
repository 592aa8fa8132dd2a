/** Checks of arguments: a failed one throws the library's `ArgumentError`. */
import { ArgumentError } from 'adal-wasm';

/** Longest list that an error message quotes. */
const MOST_QUOTED = 8;

/**
 * Throws the error of a failed check.
 * @throws ArgumentError always: `"argument" expected …, got …`
 */
export function fail(argument: string, expected: string, value: unknown): never {
  throw new ArgumentError(argument, expected, describe(value));
}

/**
 * Checks that a value is an integer.
 * @throws ArgumentError when it is not an integer in [low, high]
 */
export function checkInteger(argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
    fail(argument, `an integer in [${low}, ${high}]`, value);
  return value;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value) && value.length > MOST_QUOTED) return `an array of ${value.length}`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
