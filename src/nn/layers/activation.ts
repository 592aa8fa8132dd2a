/** What all element-wise activations have in common. */
import type { NNKernels } from '../../runtime/kernels-nn';
import { PLAIN, type PlannedLayer, type Shape } from './layer';

/**
 * A layer that maps every element by itself. y may be x, and dx dy.
 * @param reads what its gradient is computed from
 * @param forward writes n elements of y @param backward writes n elements of dx; `kept` is the address of what it reads
 */
export function planActivation(
  input: Shape,
  reads: 'input' | 'output',
  forward: (kernels: NNKernels, y: number, x: number, n: number) => void,
  backward: (kernels: NNKernels, dx: number, dy: number, kept: number, n: number) => void,
): PlannedLayer {
  const size = input.reduce((product, length) => product * length, 1);
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
