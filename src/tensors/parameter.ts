/**
 * Parameters: trainable tensors with their gradients, and the checks of the arrays and shapes that
 * a user gives for them.
 */
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';
import { describe, fail, isFloat32Array, isSharedArrayBuffer } from '../validate';
import { EvaluatedTensor, type ParameterOwner } from './evaluated-tensor';
import { Tensor } from './tensor';

/**
 * Initial values of a parameter that an optimizer creates: an array, or a shape with its values
 * (row-major; by default zeros). A `sparse` parameter has no gradient tensor; `Optimizer.stepRows`
 * trains single rows of it.
 */
export type ParameterInit =
  | Float32Array
  | { readonly shape: readonly number[]; readonly data?: Float32Array; readonly sparse?: boolean };

/**
 * A trainable tensor with its gradient.
 *
 * A model creates its parameters and frees them with `model.dispose()`. Optimizers, accumulators
 * and averages use them in place, without copies. An optimizer creates and frees parameters of its
 * own for arrays and shapes that it is given.
 *
 * @example
 * const weight = model.parameters['dense1.weight'];
 * model.computeGradients(32);
 * console.log(weight.value.data[0], weight.grad.data[0]);
 */
export class Parameter extends EvaluatedTensor {
  /** @internal Model that owns the parameter; null if an optimizer created it. */
  readonly owner: ParameterOwner | null;
  readonly #grad: Tensor | null;

  /**
   * @internal Allocates value and gradient.
   * @param sparse whether to leave out the gradient
   * @throws OutOfMemoryError; nothing stays allocated then
   */
  constructor(
    runtime: Runtime,
    shape: readonly number[],
    sparse = false,
    owner: ParameterOwner | null = null,
  ) {
    super(runtime, shape);
    this.owner = owner;
    try {
      this.#grad = sparse ? null : new Tensor(runtime, shape);
    } catch (error) {
      this.value.dispose();
      throw error;
    }
  }

  /** Whether the memory has been freed, by `dispose` or by the model. */
  get disposed(): boolean {
    return this.value.disposed || this.#grad?.disposed === true;
  }

  /** Whether the parameter has no gradient tensor and is trained by rows. */
  get sparse(): boolean {
    return this.#grad === null;
  }

  /**
   * Gradient of the value, of the same shape.
   * @throws ArgumentError for a sparse parameter
   */
  get grad(): Tensor {
    return this.#grad ?? fail('parameter', 'a parameter with a gradient', 'a sparse one');
  }

  /** @internal Frees value and gradient. Models and optimizers do it for their own parameters. */
  override dispose(): void {
    super.dispose();
    this.#grad?.dispose();
  }
}

/** A checked ParameterInit. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly data: Float32Array | undefined;
  readonly sparse: boolean;
}

/** Most elements of one tensor: its bytes must be addressable. */
const MAX_ELEMENTS = 2 ** 30 - 16;

/**
 * Checks the initial values of a parameter.
 * @param argument what errors call the parameter
 */
export function checkParameterInit(
  argument: string,
  init: unknown,
  runtime: Runtime,
): ParameterSpec {
  if (ArrayBuffer.isView(init)) {
    const data = checkFloats(argument, init, runtime);
    if (data.length === 0) fail(argument, 'at least one element', init);
    return { shape: [data.length], data, sparse: false };
  }
  if (typeof init !== 'object' || init === null || !('shape' in init)) {
    fail(argument, 'a Float32Array or { shape, data?, sparse? }', init);
  }
  const {
    shape,
    data,
    sparse = false,
  } = init as { shape: unknown; data?: unknown; sparse?: unknown };
  if (typeof sparse !== 'boolean') fail(`${argument}.sparse`, 'true or false', sparse);
  // Copied, since a getter of another argument could change the array between check and use.
  const sizes: unknown[] = Array.isArray(shape)
    ? Array.from(shape)
    : fail(`${argument}.shape`, 'an array of positive integers', shape);
  if (!sizes.every((size) => typeof size === 'number' && Number.isInteger(size) && size > 0)) {
    fail(`${argument}.shape`, 'an array of positive integers', shape);
  }
  const length = elementCount(sizes as number[]);
  if (length > MAX_ELEMENTS) fail(`${argument}.shape`, `at most ${MAX_ELEMENTS} elements`, shape);
  if (data === undefined) return { shape: sizes as number[], data: undefined, sparse };
  return {
    shape: sizes as number[],
    data: checkFloats(`${argument}.data`, data, runtime, length),
    sparse,
  };
}

/**
 * Checks for a readable Float32Array, of `length` elements if that is given. Refuses arrays over a
 * SharedArrayBuffer, because another thread could change them between check and use; accepts the
 * runtime's own memory.
 */
export function checkFloats(
  argument: string,
  value: unknown,
  runtime: Runtime,
  length?: number,
): Float32Array {
  if (isFloats(value, runtime, length)) return value;
  const wanted = length === undefined ? 'a Float32Array' : `a Float32Array of ${length} elements`;
  if (!isFloat32Array(value)) fail(argument, wanted, value);
  if (isDetached(value.buffer))
    throw new ArgumentError(argument, wanted, 'one whose buffer is detached');
  if (length === undefined || value.length === length) {
    throw new ArgumentError(
      argument,
      `${wanted} over an ArrayBuffer`,
      'one over a SharedArrayBuffer',
    );
  }
  throw new ArgumentError(argument, wanted, describe(value));
}

/**
 * Checks for an array of exactly these sizes.
 * @throws ArgumentError naming `argument`
 */
export function checkShape(argument: string, value: unknown, shape: readonly number[]): void {
  const same =
    Array.isArray(value) &&
    value.length === shape.length &&
    value.every((size, index) => size === shape[index]);
  if (!same) fail(argument, describe([...shape]), value);
}

/**
 * Checks that all elements are finite and at least `minimum`.
 * @throws ArgumentError naming the first one that is not
 */
export function checkElements(argument: string, data: Float32Array, minimum: number): void {
  const wrong = data.findIndex((value) => !Number.isFinite(value) || value < minimum);
  if (wrong < 0) return;
  const range = minimum > -Infinity ? `a finite number of at least ${minimum}` : 'a finite number';
  throw new ArgumentError(`${argument}[${wrong}]`, range, describe(data[wrong]));
}

/** Tells whether `checkFloats` accepts `value`; allocates nothing. */
export function isFloats(value: unknown, runtime: Runtime, length?: number): value is Float32Array {
  if (!isFloat32Array(value) || (length !== undefined && lengthOf(value) !== length)) return false;
  const { buffer } = value;
  return !isDetached(buffer) && (!isSharedArrayBuffer(buffer) || buffer === runtime.memory.buffer);
}

/** The getter of a typed array's true length, which no subclass or own property can override. */
const { get: readLength } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Float32Array.prototype),
  'length',
)!;

function lengthOf(array: Float32Array): number {
  return readLength!.call(array) as number;
}

function isDetached(buffer: ArrayBufferLike): boolean {
  const { detached } = buffer as { detached?: boolean };
  if (detached !== undefined) return detached;
  if (buffer.byteLength > 0 || isSharedArrayBuffer(buffer)) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
