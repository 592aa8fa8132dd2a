/** Batch normalisation (Ioffe and Szegedy 2015), feature by feature or channel by channel. */
import { checkNoMore, checkNumber, checkOptions } from '../../validate';
import { leading } from './dense';
import { ones } from './initial';
import { type LayerKind, PLAIN } from './layer';

/**
 * y = γ·(x - mean)/√(variance + eps) + β over the last axis: the batch's statistics in training,
 * running ones otherwise.
 */
export interface BatchNormLayer {
  readonly kind: 'batchNorm';
  readonly eps?: number;
  readonly momentum?: number;
}

export interface BatchNormOptions {
  /** Added to the variance, in (0, ∞). @default 1e-5 */
  eps?: number;
  /** Share of the batch in the running statistics, in (0, 1]: 1 - Keras's momentum. @default 0.1 */
  momentum?: number;
}

/**
 * Batch normalisation over all positions of the batch, one mean and variance a channel (the last
 * axis).
 *
 * Parameters: `gamma` (ones) and `beta` (zeros). Running `mean` (zeros) and `variance` (ones,
 * unbiased) are part of the model's state: running ← running + momentum·(batch - running), once the
 * step is accepted. As in PyTorch; Keras's momentum is the share of the old value, and TensorFlow's
 * variance is biased. Training needs at least two positions, of the batch and its samples.
 *
 * @throws ArgumentError for options out of range
 * @example sequential([dense(16), batchNorm(), relu(), dense(4)])
 */
export function batchNorm(options?: BatchNormOptions): BatchNormLayer;
export function batchNorm(options: BatchNormOptions = {}, ...extra: unknown[]): BatchNormLayer {
  checkNoMore('batchNorm(options)', extra, 'it takes its size from the layer before');
  checkOptions('options', options, ['eps', 'momentum']);
  const layer: BatchNormLayer = { kind: 'batchNorm', ...options };
  batchNormKind.check(layer, (field) => field);
  return layer;
}

export const batchNormKind: LayerKind<BatchNormLayer> = {
  kind: 'batchNorm',
  prefix: 'batchNorm',
  fields: ['eps', 'momentum'],
  check({ eps = 1e-5, momentum = 0.1 }, nameOf) {
    checkNumber(nameOf('eps'), eps, '(0, ∞)', (value) => value > 0);
    checkNumber(nameOf('momentum'), momentum, '(0, 1]', (value) => value > 0 && value <= 1);
  },
  plan({ eps = 1e-5, momentum = 0.1 }, input) {
    const channels = input[input.length - 1];
    const positions = leading(input);
    // Mean and 1/deviation of the batch, each padded to whole vectors.
    const padded = 16 * Math.ceil(channels / 16);
    return {
      ...PLAIN,
      output: input,
      parameters: [
        { name: 'gamma', shape: [channels], initialise: ones },
        { name: 'beta', shape: [channels] },
      ],
      statistics: [
        { name: 'mean', shape: [channels] },
        { name: 'variance', shape: [channels], initialise: ones, minimum: 0 },
      ],
      backwardReads: { input: true, output: false },
      inPlace: 'allowed',
      // The variance of one position is not defined.
      fewestSamples: positions === 1 ? 2 : 1,
      keptFloats: () => 2 * padded,
      // Where gradients go that nobody wants.
      scratchBytes: () => 8 * padded,
      forward({ x, y, weights, statistics, nextStatistics, kept }, pass) {
        const { kernels, count, batchStatistics } = pass;
        const [rows, inverse] = [count * positions, kept + 4 * padded];
        if (batchStatistics) {
          const [mean, variance] = nextStatistics;
          const share = pass.momentum ?? momentum;
          kernels.batchStatistics(kept, inverse, mean, variance, x, rows, channels, eps, share);
        } else {
          kernels.inverseDeviation(inverse, statistics[1], channels, eps);
        }
        kernels.batchNorm(
          y,
          x,
          batchStatistics ? kept : statistics[0],
          inverse,
          weights[0],
          weights[1],
          rows,
          channels,
        );
      },
      backward({ x, dx, dy, weights, gradients, kept, scratch }, { kernels, count }) {
        const [rows, inverse] = [count * positions, kept + 4 * padded];
        const [dgamma, dbeta] = [gradients[0] || scratch, gradients[1] || scratch + 4 * padded];
        kernels.batchNormGrad(dx, dgamma, dbeta, dy, x, kept, inverse, weights[0], rows, channels);
      },
    };
  },
};
