/** The matrix products of a fully connected layer, forward and backward. */
import type { NNKernels } from '../../runtime/kernels-nn';
import type { LayerArrays } from './layer';

/** y = x·Wᵀ + b, without b if the layer has none. */
export function denseForward(
  kernels: NNKernels,
  { x, y, weights, scratch }: LayerArrays,
  rows: number,
  units: number,
  inputs: number,
): void {
  kernels.gemmNT(y, x, weights[0], rows, units, inputs, scratch);
  if (weights[1]) kernels.biasAdd(y, weights[1], rows, units);
}

/** The gradients of the parameters, and dx unless it is 0. */
export function denseBackward(
  kernels: NNKernels,
  { x, dx, dy, weights, gradients, scratch }: LayerArrays,
  rows: number,
  units: number,
  inputs: number,
): void {
  if (gradients[0]) kernels.gemmTN(gradients[0], dy, x, units, inputs, rows, scratch);
  if (gradients[1]) kernels.biasGrad(gradients[1], dy, rows, units);
  if (dx) kernels.gemmNN(dx, dy, weights[0], rows, inputs, units, scratch);
}
