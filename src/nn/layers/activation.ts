/** The plan that all element-wise activations share. */
import { elementCount } from '../../math/shape';
import type { NNKernels } from '../../runtime/kernels-nn';
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer, type Shape } from './layer';

/** Computes n elements of y. */
type Forward = (kernels: NNKernels, y: number, x: number, n: number) => void;
/** Computes n elements of dx; `kept` is the address of the input or output that it reads. */
type Backward = (kernels: NNKernels, dx: number, dy: number, kept: number, n: number) => void;

/** Returns the kind of an activation without options; arguments as of `planActivation`. */
export function activationKind<L extends LayerSpec>(
  kind: L['kind'],
  reads: 'input' | 'output',
  forward: Forward,
  backward: Backward,
): LayerKind<L> {
  return {
    kind,
    prefix: kind,
    fields: [],
    check() {},
    plan: (_layer, input) => planActivation(input, reads, forward, backward),
  };
}

/**
 * Plans a layer that maps each element by itself. y may be x, and dx may be dy.
 * @param reads whether the gradient is computed from the layer's input or from its output
 */
export function planActivation(
  input: Shape,
  reads: 'input' | 'output',
  forward: Forward,
  backward: Backward,
): PlannedLayer {
  const size = elementCount(input);
  return {
    ...PLAIN,
    output: input,
    backwardReads: { input: reads === 'input', output: reads === 'output' },
    inPlace: 'allowed',
    forward({ x, y }, { kernels, count }) {
      forward(kernels, y, x, count * size);
    },
    backward({ x, y, dx, dy }, { kernels, count }) {
      if (dx) backward(kernels, dx, dy, reads === 'input' ? x : y, count * size);
    },
  };
}
