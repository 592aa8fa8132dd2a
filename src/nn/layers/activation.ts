/** What all element-wise activations have in common. */
import { elementCount } from '../../math/shape';
import type { NNKernels } from '../../runtime/kernels-nn';
import { type LayerKind, type LayerSpec, PLAIN, type PlannedLayer, type Shape } from './layer';

/** Writes n elements of y. */
type Forward = (kernels: NNKernels, y: number, x: number, n: number) => void;
/** Writes n elements of dx; `kept` is the address of what the gradient is computed from. */
type Backward = (kernels: NNKernels, dx: number, dy: number, kept: number, n: number) => void;

/** The kind of an activation that has no parameters; arguments as of `planActivation`. */
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
 * A layer that maps every element by itself. y may be x, and dx dy.
 * @param reads what its gradient is computed from
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
