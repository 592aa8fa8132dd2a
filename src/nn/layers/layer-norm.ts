/** Layer normalisation (Ba, Kiros and Hinton 2016). */
import { checkNoMore, checkNumber, checkOptions } from '../../validate';
import { ones } from './initial';
import { checked, type LayerKind, PLAIN, positionsOf } from './layer';

/**
 * The description of layer normalisation: y = γ·(x - mean)/√(variance + eps) + β, with mean and
 * variance over the last axis of each position of each sample.
 */
export interface LayerNormLayer extends Readonly<LayerNormOptions> {
  readonly kind: 'layerNorm';
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Constant added to the variance, in (0, ∞). @default 1e-5 */
  eps?: number;
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes layer normalisation over the last axis. Parameters: `gamma` (ones) and `beta` (zeros),
 * one of each per feature.
 *
 * @throws ArgumentError for options out of range
 * @example sequential([dense(64), layerNorm(), silu(), dense(10)])
 */
export function layerNorm(options?: LayerNormOptions): LayerNormLayer;
export function layerNorm(options: LayerNormOptions = {}, ...extra: unknown[]): LayerNormLayer {
  checkNoMore('layerNorm(options)', extra, 'its size is that of the layer before');
  checkOptions('options', options, ['eps', 'name']);
  return checked(kind, { kind: 'layerNorm', ...options });
}

const kind: LayerKind<LayerNormLayer> = {
  kind: 'layerNorm',
  prefix: 'layerNorm',
  fields: ['eps'],
  check({ eps = 1e-5 }, nameOf) {
    checkNumber(nameOf('eps'), eps, '(0, ∞)', (value) => value > 0);
  },
  plan({ eps = 1e-5 }, input) {
    const features = input[input.length - 1];
    const padded = 16 * Math.ceil(features / 16);
    const rowsOf = (count: number) => count * positionsOf(input);
    return {
      ...PLAIN,
      output: input,
      parameters: [
        { name: 'gamma', shape: [features], initialise: ones },
        { name: 'beta', shape: [features] },
      ],
      backwardReads: { input: true, output: false },
      inPlace: 'allowed',
      // Mean and 1/deviation of each row of this batch.
      keptFloats: (batchSize) => 2 * rowsOf(batchSize),
      // Receives the gradients of frozen parameters, which the kernel computes anyway.
      scratchBytes: () => 8 * padded,
      forward({ x, y, weights, kept }, { kernels, count }) {
        const rows = rowsOf(count);
        kernels.layerNorm(y, x, kept, kept + 4 * rows, weights[0], weights[1], rows, features, eps);
      },
      backward({ x, dx, dy, weights, gradients, kept, scratch }, { kernels, count }) {
        const rows = rowsOf(count);
        const [dgamma, dbeta] = [gradients[0] || scratch, gradients[1] || scratch + 4 * padded];
        kernels.layerNormGrad(
          dx,
          dgamma,
          dbeta,
          dy,
          x,
          kept,
          kept + 4 * rows,
          weights[0],
          rows,
          features,
        );
      },
    };
  },
};

export default kind;
