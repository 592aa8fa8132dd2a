/** Fully connected layer. */

import { denseScratchBytes } from '../../memory-layout/nn-layout';
import { checkInteger, checkNoMore } from '../../validate';
import { heUniform } from './initial';
import { checked, type LayerKind, MAX_UNITS, PLAIN, positionsOf } from './layer';

/**
 * The description of a fully connected layer: y = x·Wᵀ + b over the last axis, with W of shape
 * [units, inputs] and b of shape [units].
 */
export interface DenseLayer {
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
 * @throws ArgumentError for other units
 * @example sequential([dense(64), relu(), dense(10)])
 */
export function dense(units: number): DenseLayer;
export function dense(units: number, ...extra: unknown[]): DenseLayer {
  checkNoMore('dense(units)', extra, 'an activation is a layer of its own, such as relu()');
  return checked(kind, { kind: 'dense', units });
}

const kind: LayerKind<DenseLayer> = {
  kind: 'dense',
  prefix: 'dense',
  fields: ['units'],
  check({ units }, nameOf) {
    checkInteger(nameOf('units'), units, 1, MAX_UNITS);
  },
  plan({ units }, input) {
    const inputs = input[input.length - 1];
    const rowsOf = (count: number) => count * positionsOf(input);
    return {
      ...PLAIN,
      output: [...input.slice(0, -1), units],
      parameters: [
        { name: 'weight', shape: [units, inputs], initialise: heUniform(inputs) },
        { name: 'bias', shape: [units] },
      ],
      backwardReads: { input: true, output: false },
      scratchBytes: (batchSize) => denseScratchBytes(rowsOf(batchSize), units, inputs),
      forward({ x, y, weights, scratch }, { kernels, count }) {
        kernels.gemmNT(y, x, weights[0], rowsOf(count), units, inputs, scratch);
        kernels.biasAdd(y, weights[1], rowsOf(count), units);
      },
      backward({ x, dx, dy, weights, gradients, scratch }, { kernels, count }) {
        if (gradients[0])
          kernels.gemmTN(gradients[0], dy, x, units, inputs, rowsOf(count), scratch);
        if (gradients[1]) kernels.biasGrad(gradients[1], dy, rowsOf(count), units);
        if (dx) kernels.gemmNN(dx, dy, weights[0], rowsOf(count), inputs, units, scratch);
      },
    };
  },
};

export default kind;
