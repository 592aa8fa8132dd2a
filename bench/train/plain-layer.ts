/** What the layers of the plain engine have in common. */
import type { FirstValues } from './workloads';

/** A parameter array with its gradient and Adam's moments. */
export interface Trainable {
  readonly values: Float32Array;
  readonly grad: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Creates a trainable array from its first values. */
export function trainable({ data }: FirstValues): Trainable {
  const zeros = () => new Float32Array(data.length);
  return { values: data.slice(), grad: zeros(), m: zeros(), v: zeros() };
}

/** A layer that keeps its parameters, gradients and buffers: a step allocates nothing. */
export interface PlainLayer {
  readonly parameters: readonly Trainable[];
  /** Returns the outputs of `count` samples, in a buffer of the layer. */
  forward(x: Float32Array, count: number): Float32Array;
  /**
   * Computes the gradients of the parameters.
   * @param wanted whether the gradient of the inputs is needed
   * @returns the gradient of the inputs, in a buffer of the layer
   */
  backward(x: Float32Array, dy: Float32Array, count: number, wanted: boolean): Float32Array;
}
