/**
 * Checks of arguments. All throw ArgumentError naming the argument, what was expected and what
 * came; none repairs.
 */
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

/**
 * The getter that reads the class name out of the array itself: it cannot be fooled by a property
 * or a prototype.
 */
const readArrayName: (this: unknown) => string | undefined =
  /* @__PURE__ */ Object.getOwnPropertyDescriptor(
    /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  )!.get!;

/**
 * Returns the class name of a typed array, also of one from another realm (an iframe, a vm
 * context), which `instanceof` does not recognise. Returns undefined for anything else.
 */
export function typedArrayName(value: unknown): string | undefined {
  return readArrayName.call(value);
}

/**
 * Tells whether `value` is a typed array of that class, of whichever realm. Subclasses count: a
 * Buffer is a Uint8Array.
 */
export function isTypedArray<K extends keyof TypedArrays>(
  name: K,
  value: unknown,
): value is TypedArrays[K] {
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
  // First what needs no string: steps ask this of every gradient.
  if (value instanceof ArrayBuffer) return false;
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';
}

/** Tells whether `value` is a regular expression of any realm. */
export function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

/** Longest text that shows an array, characters; longer ones are shown by their length. */
const LONGEST_LIST = 120;
/** Longest name of a class, symbol or key that is shown, characters. */
const LONGEST_NAME = 60;
/** Characters that could steer a terminal or turn the direction of text. */
const STEERING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** The text with escapes for characters that steer a terminal. */
function escaped(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/**
 * A name as an error message shows it: cut to a bearable length, and without characters that steer
 * a terminal.
 */
export function showName(name: string): string {
  return escaped(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}

/**
 * A value as an error message shows it: short, and telling its type. It takes bounded time and
 * never throws, whatever the value is: cyclic, huge, or with getters that throw.
 */
export function describe(value: unknown): string {
  try {
    return describeAt(value, 0);
  } catch {
    return 'an object that throws when it is read';
  }
}

/** @param depth of arrays around the value */
function describeAt(value: unknown, depth: number): string {
  if (typeof value === 'string') {
    return value.length > 60
      ? `a string of ${value.length} characters`
      : escaped(JSON.stringify(value));
  }
  // Its decimal digits would take quadratic time.
  if (typeof value === 'bigint')
    return value > -(2n ** 128n) && value < 2n ** 128n ? `${value}n` : 'a bigint beyond 128 bits';
  if (typeof value === 'symbol') return showName(String(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    const { length } = value;
    if (length > 8 || depth > 2) return `an array of ${length}`;
    const text = `[${Array.from({ length }, (_, index) => describeAt(value[index], depth + 1)).join(', ')}]`;
    return text.length > LONGEST_LIST ? `an array of ${length}` : text;
  }
  if (ArrayBuffer.isView(value)) {
    return `${typedArrayName(value) ?? 'DataView'}(${(value as Float32Array).length ?? value.byteLength})`;
  }
  if (Object.prototype.toString.call(value) === '[object Promise]')
    return 'a Promise (is an `await` missing?)';
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  const className = typeof name === 'string' ? showName(name) : '';
  return className && className !== 'Object' ? `an instance of ${className}` : 'an object';
}

/** Throws the error of a failed check. */
export function fail(argument: string, expected: string, value: unknown): never {
  throw new ArgumentError(argument, expected, describe(value));
}

/** A finite number in [low, high], or [low, high) and so on, as `interval` writes it. */
export function checkNumber(
  argument: string,
  value: unknown,
  interval: string,
  inside: (x: number) => boolean,
): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !inside(value))
    fail(argument, `a number in ${interval}`, value);
  return value;
}

/** An integer in [low, high]. */
export function checkInteger(argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    fail(argument, `an integer in [${low}, ${high}]`, value);
  }
  return value;
}

/**
 * A learning rate, or what is multiplied by one: a number in [0, 2^64), so that products of two are
 * finite in float32.
 */
export function isRate(x: unknown): x is number {
  return typeof x === 'number' && x >= 0 && x < 2 ** 64;
}

/** One of a few strings. */
export function checkChoice<T extends string>(
  argument: string,
  value: unknown,
  choices: readonly T[],
): T {
  if (!choices.includes(value as T))
    fail(argument, choices.map((choice) => `'${choice}'`).join(' or '), value);
  return value as T;
}

/** A checked copy of an options object: its getters, if it has any, are read once. */
export function copyOptions<T extends object>(
  argument: string,
  value: T,
  known: readonly string[],
): T {
  checkOptions(argument, value, known);
  return { ...value };
}

/** A plain options object with no other keys than `known`. */
export function checkOptions(argument: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(argument, 'an options object', value);
  const keys = Object.keys(value);
  // A Promise, Map or Date has none, and would silently mean that nothing was asked for.
  if (keys.length === 0 && Object.prototype.toString.call(value) !== '[object Object]')
    fail(argument, 'an options object', value);
  for (const key of keys) {
    if (!known.includes(key)) {
      throw new ArgumentError(
        `${argument}.${showName(key)}`,
        `one of ${known.join(', ')}`,
        'an unknown option',
      );
    }
  }
}

/**
 * The end of an argument list. JavaScript drops arguments too many without a word, options in the
 * wrong place among them.
 * @param call as it should be written: `relu()`
 * @param extra what came after the last argument
 * @param advice what to write instead, as the end of a sentence
 */
export function checkNoMore(call: string, extra: readonly unknown[], advice: string): void {
  if (extra.length > 0) fail(call, `no further argument (${advice})`, extra[0]);
}

/**
 * An object of one of the library's classes, told by its methods: another copy of the library has
 * classes of its own.
 */
function checkMade<T>(argument: string, value: T, expected: string, methods: readonly string[]): T {
  const made = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (methods.some((method) => typeof made[method] !== 'function')) fail(argument, expected, value);
  return value;
}

/** A runtime; not the promise of one, nor the parameters that come after it. */
export function checkRuntime<T>(argument: string, value: T): T {
  return checkMade(argument, value, 'a runtime, made by `await createRuntime()`', [
    'check',
    'step',
    'stepAsync',
  ]);
}

/** A model; not the promise of one. */
export function checkModel<T>(argument: string, value: T): T {
  return checkMade(argument, value, 'a model, made by `await createModel(runtime, options)`', [
    'computeGradients',
    'predict',
  ]);
}

/** An optimizer; not the promise of one. */
export function checkOptimizer<T>(argument: string, value: T): T {
  const expected = 'an optimizer, such as `new Adam(runtime, params)`';
  return checkMade(argument, value, expected, ['stepInto', 'addParams', 'stateDict']);
}

/** @throws ArgumentError unless `value` is true or false */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(argument, 'true or false', value);
  return value;
}
