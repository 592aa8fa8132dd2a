/**
 * Checks of arguments. Each throws an ArgumentError with the argument, what was expected and what
 * was passed; none changes the value.
 */
import { ArgumentError } from './errors';

/** The typed arrays that the library accepts, by class name. */
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
 * The getter of `Symbol.toStringTag`, which reads the class name from the array's internal slot, so
 * that no property or prototype can fake it.
 */
const readArrayName: (this: unknown) => string | undefined =
  /* @__PURE__ */ Object.getOwnPropertyDescriptor(
    /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  )!.get!;

/**
 * Returns the class name of a typed array, undefined for any other value. Unlike `instanceof`, it
 * recognises arrays of another realm (an iframe, a vm context).
 */
export function typedArrayName(value: unknown): string | undefined {
  return readArrayName.call(value);
}

/**
 * Tells whether `value` is a typed array of that class or a subclass (a Buffer is a Uint8Array), of
 * any realm.
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
  // Steps call this for every gradient: the first test allocates no string.
  if (value instanceof ArrayBuffer) return false;
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';
}

/** Tells whether `value` is a regular expression of any realm. */
export function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

/** Characters from which an array is described by its length. */
const LONGEST_LIST = 120;
/** Characters after which the name of a class, symbol or key is cut. */
const LONGEST_NAME = 60;
/** Characters that could control a terminal or reverse the direction of text. */
const STEERING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Escapes the characters that could control a terminal. */
function escaped(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/**
 * Formats a name for an error message: shortened, and without characters that could control a
 * terminal.
 */
export function showName(name: string): string {
  return escaped(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}

/**
 * Describes a value for an error message: briefly, and with its type. Takes bounded time and never
 * throws, even if the value is cyclic or huge or has getters that throw.
 */
export function describe(value: unknown): string {
  try {
    return describeAt(value, 0);
  } catch {
    return 'an object that throws when it is read';
  }
}

/** @param depth number of arrays around the value */
function describeAt(value: unknown, depth: number): string {
  if (typeof value === 'string') {
    return value.length > 60
      ? `a string of ${value.length} characters`
      : escaped(JSON.stringify(value));
  }
  // Formatting the decimal digits of a huge bigint would take quadratic time.
  if (typeof value === 'bigint')
    return value > -(2n ** 128n) && value < 2n ** 128n ? `${value}n` : 'a bigint beyond 128 bits';
  if (typeof value === 'symbol') return showName(String(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    const { length } = value;
    if (length > 8 || depth > 2) return `an array of ${length}`;
    const items = Array.from({ length }, (_, index) => describeAt(value[index], depth + 1));
    const text = `[${items.join(', ')}]`;
    return text.length > LONGEST_LIST ? `an array of ${length}` : text;
  }
  if (ArrayBuffer.isView(value)) {
    const length = (value as Float32Array).length ?? value.byteLength;
    return `${typedArrayName(value) ?? 'DataView'}(${length})`;
  }
  if (Object.prototype.toString.call(value) === '[object Promise]')
    return 'a Promise (is an `await` missing?)';
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  const className = typeof name === 'string' ? showName(name) : '';
  return className && className !== 'Object' ? `an instance of ${className}` : 'an object';
}

/** Throws the ArgumentError of a failed check. */
export function fail(argument: string, expected: string, value: unknown): never {
  throw new ArgumentError(argument, expected, describe(value));
}

/**
 * Returns a finite number that `inside` accepts.
 * @param interval the accepted numbers as errors show them: `[0, 1)`
 */
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

/** Returns an integer in [low, high]. */
export function checkInteger(argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    fail(argument, `an integer in [${low}, ${high}]`, value);
  }
  return value;
}

/**
 * Tells whether `x` is in the range of learning rates and of their factors, [0, 2^64), so that the
 * product of two is finite in float32.
 */
export function isRate(x: unknown): x is number {
  return typeof x === 'number' && x >= 0 && x < 2 ** 64;
}

/** Returns a string that is one of `choices`. */
export function checkChoice<T extends string>(
  argument: string,
  value: unknown,
  choices: readonly T[],
): T {
  if (!choices.includes(value as T))
    fail(argument, choices.map((choice) => `'${choice}'`).join(' or '), value);
  return value as T;
}

/** Returns a checked copy of an options object; each of its getters is read once. */
export function copyOptions<T extends object>(
  argument: string,
  value: T,
  known: readonly string[],
): T {
  checkOptions(argument, value, known);
  return { ...value };
}

/** Checks that `value` is an object and no array. Its fields are still unchecked. */
export function checkObject(
  argument: string,
  value: unknown,
  expected = 'an object',
): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : fail(argument, expected, value);
}

/** Tells whether a value is an object, and neither an array nor a typed array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

/**
 * Checks that `value` is a plain options object without keys that are not `known`.
 * @param noun what a key is, in errors
 */
export function checkOptions(
  argument: string,
  value: unknown,
  known: readonly string[],
  noun = 'option',
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(argument, noun === 'option' ? 'an options object' : `an object by ${noun}`, value);
  const keys = Object.keys(value);
  // A Promise, Map or Date has no keys, and would silently count as empty options.
  if (keys.length === 0 && Object.prototype.toString.call(value) !== '[object Object]')
    fail(argument, 'an options object', value);
  for (const key of keys) {
    if (!known.includes(key)) {
      throw new ArgumentError(
        `${argument}.${showName(key)}`,
        `one of ${known.join(', ')}`,
        `an unknown ${noun}`,
      );
    }
  }
}

/**
 * Checks that a call has no further arguments. JavaScript silently ignores surplus arguments, also
 * options in the wrong place.
 * @param call the correct form of the call: `relu()`
 * @param extra the surplus arguments
 * @param advice a hint what to write instead
 */
export function checkNoMore(call: string, extra: readonly unknown[], advice: string): void {
  if (extra.length > 0) fail(call, `no further argument (${advice})`, extra[0]);
}

/**
 * Returns an object that has the given methods. Classes are not compared, since the object may come
 * from another copy of the library.
 */
function checkMade<T>(argument: string, value: T, expected: string, methods: readonly string[]): T {
  return hasMethods(value, methods) ? value : fail(argument, expected, value);
}

function hasMethods(value: unknown, methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const made = value as Readonly<Record<string, unknown>>;
  return methods.every((method) => typeof made[method] === 'function');
}

/** Returns a runtime; throws for a promise of one, or for the next argument in its place. */
export function checkRuntime<T>(argument: string, value: T): T {
  return checkMade(argument, value, 'a runtime, made by `await createRuntime()`', [
    'check',
    'step',
    'stepAsync',
  ]);
}

/** Returns a model; throws for a promise of one. */
export function checkModel<T>(argument: string, value: T): T {
  return checkMade(argument, value, 'a model, made by `await createModel(runtime, options)`', [
    'computeGradients',
    'predictBatch',
  ]);
}

/** Returns an optimizer; throws for a promise of one. */
export function checkOptimizer<T>(argument: string, value: T): T {
  const expected = 'an optimizer, such as `new Adam(runtime, params)`';
  return checkMade(argument, value, expected, OPTIMIZER_METHODS);
}

/** Tells whether `value` is an optimizer, of this copy of the library or of another. */
export function isOptimizer<Optimizer>(value: unknown): value is Optimizer {
  return hasMethods(value, OPTIMIZER_METHODS);
}

const OPTIMIZER_METHODS = ['stepInto', 'addParamGroup', 'stateDict'];

/** @throws ArgumentError unless `value` is true or false */
export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(argument, 'true or false', value);
  return value;
}
