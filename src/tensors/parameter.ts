/**
 * A trainable tensor with its gradient. A model owns its parameters; an optimizer uses them where
 * they lie.
 */
import { ArgumentError } from '../errors';
import { elementCount } from '../math/shape';
import type { Runtime } from '../runtime/runtime';
import { describe, fail, isFloat32Array, isSharedArrayBuffer } from '../validate';
import { EvaluatedTensor, type ParameterOwner } from './evaluated-tensor';
import { Tensor } from './tensor';

/**
 * What a user gives for a parameter: its values, or its shape and, if not all zero, its values
 * (row-major). A `sparse` one has no gradient of its own size, and is trained by rows alone: see
 * `Optimizer.stepRows`.
 */
export type ParameterInit =
  | Float32Array
  | { readonly shape: readonly number[]; readonly data?: Float32Array; readonly sparse?: boolean };

/**
 * A trainable tensor with its gradient: an entry of `model.parameters`, which an optimizer accepts as
 * it is.
 */
export class Parameter extends EvaluatedTensor {
  /** @internal The model that it belongs to; null if an optimizer created it. */
  readonly owner: ParameterOwner | null;
  readonly #grad: Tensor | null;

  /**
   * @internal Allocates zeros.
   * @param sparse whether the parameter has no gradient of its own size
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

  /** Whether the memory has been released, for example by `dispose` of the model. */
  get disposed(): boolean {
    return this.value.disposed || this.#grad?.disposed === true;
  }

  /** Whether the parameter has no gradient of its own size, and is trained by rows alone. */
  get sparse(): boolean {
    return this.#grad === null;
  }

  /**
   * The gradient.
   * @throws ArgumentError for a sparse parameter
   */
  get grad(): Tensor {
    return this.#grad ?? fail('parameter', 'one with a gradient', 'a sparse one');
  }

  /** @internal Releases the memory. */
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

/** Elements that one tensor may have: its bytes must be addressable. */
const MAX_ELEMENTS = 2 ** 30 - 16;

/** Checks what was given for the parameter called `argument` in error messages. */
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
  // A copy: a getter of another argument could change the array between this check and its use.
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
 * A Float32Array that can be read here and now, of `length` elements where that is given. Arrays
 * over a SharedArrayBuffer are refused, since another thread could change them between check and
 * use; the runtime's own memory is not.
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

/** Whether `checkFloats` lets `value` pass; allocates nothing. */
export function isFloats(value: unknown, runtime: Runtime, length?: number): value is Float32Array {
  if (!isFloat32Array(value) || (length !== undefined && lengthOf(value) !== length)) return false;
  const { buffer } = value;
  return !isDetached(buffer) && (!isSharedArrayBuffer(buffer) || buffer === runtime.memory.buffer);
}

/** Its getter tells the length of a typed array whatever a subclass or an own property says. */
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
