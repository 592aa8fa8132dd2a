/** Maxout (Goodfellow et al. 2013): a fully connected layer and the maximum of its pieces. */
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
 * The description of maxout: y[u] = the maximum of z[u·pieces], …, z[u·pieces + pieces - 1], with
 * z = x·Wᵀ + b over the last axis.
 */
export interface MaxoutLayer extends Readonly<KernelOptions> {
  readonly kind: 'maxout';
  /** Outputs per sample (or per position), an integer in [1, 2^24]. */
  readonly units: number;
  /** Linear functions per output, an integer in [1, 2^24]. */
  readonly pieces: number;
}

/**
 * Describes maxout: each unit is the maximum of several linear functions of the last axis. Of equal
 * maxima the first receives the gradient.
 *
 * Parameters: `weight` [units·pieces, inputs], uniform in ±√(6/inputs); `bias` [units·pieces],
 * zero. The pieces of a unit are adjacent rows.
 *
 * @param units outputs per sample (or per position), an integer in [1, 2^24]
 * @param pieces linear functions per output, an integer in [1, 2^24]
 * @throws ArgumentError for other sizes, and for options out of range
 * @example sequential([maxout(32, 2), maxout(32, 2), dense(10)])
 */
export function maxout(units: number, pieces: number, options?: KernelOptions): MaxoutLayer;
export function maxout(
  units: number,
  pieces: number,
  options: KernelOptions = {},
  ...extra: unknown[]
): MaxoutLayer {
  checkKernelOptions(options, []);
  checkNoMore('maxout(units, pieces, options)', extra, 'its input is the layer before');
  return checked(kind, { kind: 'maxout', units, pieces, ...options });
}

const kind: LayerKind<MaxoutLayer> = {
  kind: 'maxout',
  prefix: 'maxout',
  fields: ['units', 'pieces', ...KERNEL_FIELDS],
  check(layer, nameOf) {
    checkInteger(nameOf('units'), layer.units, 1, MAX_UNITS);
    checkInteger(nameOf('pieces'), layer.pieces, 1, Math.floor(MAX_UNITS / layer.units));
    checkKernel(layer, nameOf);
  },
  plan(layer, input) {
    const { units, pieces } = layer;
    const inputs = input[input.length - 1];
    const all = units * pieces;
    const rowsOf = (count: number) => count * positionsOf(input);
    const padded = (floats: number) => 16 * Math.ceil(floats / 16);
    /** Floats of the places of the maxima; z, and later its gradient, follows them. */
    const places = (rows: number) => padded(rows * units);
    return {
      ...PLAIN,
      output: [...input.slice(0, -1), units],
      parameters: kernelParameters(
        layer,
        { shape: [all, inputs], fanIn: inputs, fanOut: all },
        all,
      ),
      backwardReads: { input: true, output: false },
      keptFloats: (batchSize) => places(rowsOf(batchSize)) + padded(rowsOf(batchSize) * all),
      scratchBytes: (batchSize) => denseScratchBytes(rowsOf(batchSize), all, inputs),
      forward(arrays, { kernels, count }) {
        const rows = rowsOf(count);
        const z = arrays.kept + 4 * places(rows);
        denseForward(kernels, { ...arrays, y: z }, rows, all, inputs);
        kernels.groupMax(arrays.y, arrays.kept, z, rows * units, pieces);
      },
      backward(arrays, { kernels, count }) {
        const rows = rowsOf(count);
        const dz = arrays.kept + 4 * places(rows);
        kernels.groupMaxGrad(dz, arrays.dy, arrays.kept, rows * units, pieces);
        denseBackward(kernels, { ...arrays, dy: dz }, rows, all, inputs);
      },
    };
  },
};

export default kind;
