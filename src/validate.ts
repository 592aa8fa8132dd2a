/** Checks of arguments. All throw ArgumentError naming the argument, what was expected and what came; none repairs. */
import { ArgumentError } from './errors';

/** The typed arrays that the library takes, by the names of their classes. */
export interface TypedArrays {
  Uint8Array: Uint8Array;
  Int8Array: Int8Array;
  Uint16Array: Uint16Array;
  Int16Array: Int16Array;
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  BigInt64Array: BigInt64Array;
}

/** The getter that reads the class name out of the array itself: it cannot be fooled by a property or a prototype. */
const readArrayName: (this: unknown) => string | undefined = /* @__PURE__ */ Object.getOwnPropertyDescriptor(
  /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/**
 * Returns the class name of a typed array, also of one from another realm (an iframe, a vm context), which `instanceof` does not
 * recognise. Returns undefined for anything else.
 */
export function typedArrayName(value: unknown): string | undefined {
  return readArrayName.call(value);
}

/** Tells whether `value` is a typed array of that class, of whichever realm. Subclasses count: a Buffer is a Uint8Array. */
export function isTypedArray<K extends keyof TypedArrays>(name: K, value: unknown): value is TypedArrays[K] {
  return readArrayName.call(value) === name;
}

/** Tells whether `value` is a Float32Array of any realm. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return readArrayName.call(value) === 'Float32Array';
}

/** Tells whether `value` is an Int32Array of any realm. */
export function isInt32Array(value: unknown): value is Int32Array {
  return readArrayName.call(value) === 'Int32Array';
}

/** Tells whether `value` is a Uint8Array of any realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return readArrayName.call(value) === 'Uint8Array';
}

/** Tells whether `value` is a SharedArrayBuffer of any realm. */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';
}

/** Tells whether `value` is a regular expression of any realm. */
export function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

/** A value as an error message shows it: short, and telling its type. */
export function describe(value: unknown): string {
  return describeAt(value, 0);
}

/** @param depth arrays around the value: deep and cyclic ones are told by their length */
function describeAt(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) {
    if (value.length > 8 || depth > 1) return `an array of ${value.length}`;
    return `[${value.map((element) => describeAt(element, depth + 1)).join(', ')}]`;
  }
  if (ArrayBuffer.isView(value)) {
    return `${typedArrayName(value) ?? 'DataView'}(${(value as Float32Array).length ?? value.byteLength})`;
  }
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

/** One of a few strings. */
export function checkChoice<T extends string>(argument: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) fail(argument, choices.map((choice) => `'${choice}'`).join(' or '), value);
  return value as T;
}

/** A plain options object with no other keys than `known`. */
export function checkOptions(argument: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(argument, 'an options object', value);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new ArgumentError(`${argument}.${key}`, `one of ${known.join(', ')}`, 'an unknown option');
  }
}
