/** Layer normalisation (Ba, Kiros and Hinton 2016). */
import { checkNoMore, checkNumber, checkOptions } from '../../validate';
import { leading } from './dense';
import { ones } from './initial';
import { type LayerKind, PLAIN } from './layer';

/**
 * y = γ·(x - mean)/√(variance + eps) + β, mean and variance over the last axis of each sample and
 * position.
 */
export interface LayerNormLayer {
  readonly kind: 'layerNorm';
  readonly eps?: number;
}

/**
 * Layer normalisation over the last axis. Parameters: `gamma` (ones) and `beta` (zeros), one each a
 * feature.
 *
 * @param options.eps added to the variance, in (0, ∞). @default 1e-5
 * @throws ArgumentError for options out of range
 * @example sequential([dense(64), layerNorm(), silu(), dense(10)])
 */
export function layerNorm(options?: { eps?: number }): LayerNormLayer;
export function layerNorm(options: { eps?: number } = {}, ...extra: unknown[]): LayerNormLayer {
  checkNoMore('layerNorm(options)', extra, 'it takes its size from the layer before');
  checkOptions('options', options, ['eps']);
  const layer: LayerNormLayer = { kind: 'layerNorm', ...options };
  layerNormKind.check(layer, (field) => field);
  return layer;
}

export const layerNormKind: LayerKind<LayerNormLayer> = {
  kind: 'layerNorm',
  prefix: 'layerNorm',
  fields: ['eps'],
  check({ eps = 1e-5 }, nameOf) {
    checkNumber(nameOf('eps'), eps, '(0, ∞)', (value) => value > 0);
  },
  plan({ eps = 1e-5 }, input) {
    const features = input[input.length - 1];
    const padded = 16 * Math.ceil(features / 16);
    const rowsOf = (count: number) => count * leading(input);
    return {
      ...PLAIN,
      output: input,
      parameters: [
        { name: 'gamma', shape: [features], initialise: ones },
        { name: 'beta', shape: [features] },
      ],
      backwardReads: { input: true, output: false },
      inPlace: 'allowed',
      // Mean and 1/deviation of every row of this batch.
      keptFloats: (batchSize) => 2 * rowsOf(batchSize),
      // Where gradients go that nobody wants.
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
