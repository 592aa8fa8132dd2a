/** Fully connected layer. */

import { denseScratchBytes } from '../../memory-layout/nn-layout';
import { checkInteger, checkNoMore } from '../../validate';
import { denseBackward, denseForward } from './dense-products';
import {
  checkKernel,
  checkKernelOptions,
  KERNEL_FIELDS,
  type KernelOptions,
  kernelParameters,
} from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN, positionsOf } from './layer';

/**
 * The description of a fully connected layer: y = x·Wᵀ + b over the last axis, with W of shape
 * [units, inputs] and b of shape [units].
 */
export interface DenseLayer extends Readonly<KernelOptions> {
  readonly kind: 'dense';
  /** Outputs per sample (or per position), an integer in [1, 2^24]. */
  readonly units: number;
}

/**
 * Describes a fully connected layer: y = x·Wᵀ + b over the last axis of the input.
 *
 * Parameters: `weight` [units, inputs], uniform in ±√(6/inputs); `bias` [units], zero.
 *
 * @param units outputs per sample (or per position), an integer in [1, 2^24]
 * @throws ArgumentError for other units, and for options out of range
 * @example sequential([dense(64, { useBias: false }), batchNorm(), relu(), dense(10)])
 */
export function dense(units: number, options?: KernelOptions): DenseLayer;
export function dense(units: number, options: KernelOptions = {}, ...extra: unknown[]): DenseLayer {
  checkKernelOptions(options, []);
  checkNoMore('dense(units, options)', extra, 'an activation is a layer of its own, as relu()');
  return checked(kind, { kind: 'dense', units, ...options });
}

const kind: LayerKind<DenseLayer> = {
  kind: 'dense',
  prefix: 'dense',
  fields: ['units', ...KERNEL_FIELDS],
  check(layer, nameOf) {
    checkInteger(nameOf('units'), layer.units, 1, MAX_UNITS);
    checkKernel(layer, nameOf);
  },
  plan(layer, input) {
    const { units } = layer;
    const inputs = input[input.length - 1];
    const rowsOf = (count: number) => count * positionsOf(input);
    return {
      ...PLAIN,
      output: [...input.slice(0, -1), units],
      parameters: kernelParameters(
        layer,
        { shape: [units, inputs], fanIn: inputs, fanOut: units },
        units,
      ),
      backwardReads: { input: true, output: false },
      scratchBytes: (batchSize) => denseScratchBytes(rowsOf(batchSize), units, inputs),
      forward(arrays, { kernels, count }) {
        denseForward(kernels, arrays, rowsOf(count), units, inputs);
      },
      backward(arrays, { kernels, count }) {
        denseBackward(kernels, arrays, rowsOf(count), units, inputs);
      },
    };
  },
};

export default kind;
