/** Batch normalisation (Ioffe and Szegedy 2015), feature by feature or channel by channel. */
import { checkChoice, checkNoMore, checkNumber, checkOptions } from '../../validate';
import { ones } from './initial';
import { checked, type LayerKind, PLAIN, positionsOf } from './layer';

/**
 * The description of batch normalisation: y = γ·(x - mean)/√(variance + eps) + β for each channel
 * (last axis), with the statistics of the batch in training and running statistics otherwise.
 */
export interface BatchNormLayer extends Readonly<BatchNormOptions> {
  readonly kind: 'batchNorm';
}

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Constant added to the variance, in (0, ∞). @default 1e-5 */
  eps?: number;
  /** Share of the batch in the running statistics, in (0, 1]: 1 - Keras's momentum. @default 0.1 */
  momentum?: number;
  /**
   * Variance of the batch that the running variance moves towards: over n - 1 values, as in
   * PyTorch, or over n, as in TensorFlow.
   * @default 'unbiased'
   */
  runningVariance?: 'unbiased' | 'biased';
  /** Name of the layer, as of `named`. @default the kind, numbered */
  name?: string;
}

/**
 * Describes batch normalisation: one mean and variance per channel (last axis), over all positions
 * of the batch.
 *
 * Parameters: `gamma` (ones) and `beta` (zeros). The running `mean` (zeros) and `variance` (ones)
 * are part of the model's state: running ← running + momentum·(batch - running) when an optimizer
 * accepts the step. This follows PyTorch; Keras's momentum is the share of the old value, and
 * TensorFlow's variance is biased. Training needs at least two positions per channel in a batch.
 *
 * @throws ArgumentError for options out of range
 * @example sequential([dense(16), batchNorm(), relu(), dense(4)])
 */
export function batchNorm(options?: BatchNormOptions): BatchNormLayer;
export function batchNorm(options: BatchNormOptions = {}, ...extra: unknown[]): BatchNormLayer {
  checkNoMore('batchNorm(options)', extra, 'its size is that of the layer before');
  checkOptions('options', options, ['eps', 'momentum', 'runningVariance', 'name']);
  return checked(kind, { kind: 'batchNorm', ...options });
}

const kind: LayerKind<BatchNormLayer> = {
  kind: 'batchNorm',
  prefix: 'batchNorm',
  fields: ['eps', 'momentum', 'runningVariance'],
  check({ eps = 1e-5, momentum = 0.1, runningVariance = 'unbiased' }, nameOf) {
    checkNumber(nameOf('eps'), eps, '(0, ∞)', (value) => value > 0);
    checkNumber(nameOf('momentum'), momentum, '(0, 1]', (value) => value > 0 && value <= 1);
    checkChoice(nameOf('runningVariance'), runningVariance, ['unbiased', 'biased']);
  },
  plan({ eps = 1e-5, momentum = 0.1, runningVariance }, input) {
    const correction = runningVariance === 'biased' ? 0 : 1;
    const channels = input[input.length - 1];
    const positions = positionsOf(input);
    // The batch's mean and 1/deviation are kept, each padded to whole vectors.
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
      // A single position has no variance.
      fewestSamples: positions === 1 ? 2 : 1,
      keptFloats: () => 2 * padded,
      // Receives the gradients of frozen parameters, which the kernel computes anyway, and zeros.
      scratchBytes: () => 12 * padded,
      forward({ x, y, weights, statistics, nextStatistics, kept }, pass) {
        const { kernels, count, batchStatistics } = pass;
        const [rows, inverse] = [count * positions, kept + 4 * padded];
        if (batchStatistics) {
          const [mean, variance] = nextStatistics;
          const share = pass.momentum ?? momentum;
          kernels.batchStatistics(
            kept,
            inverse,
            mean,
            variance,
            x,
            rows,
            channels,
            eps,
            share,
            correction,
          );
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
      backward({ x, dx, dy, weights, gradients, statistics, kept, scratch }, pass) {
        const { kernels, count, batchStatistics } = pass;
        const [rows, inverse] = [count * positions, kept + 4 * padded];
        const [dgamma, dbeta] = [gradients[0] || scratch, gradients[1] || scratch + 4 * padded];
        const [gamma] = weights;
        if (batchStatistics) {
          kernels.batchNormGrad(dx, dgamma, dbeta, dy, x, kept, inverse, gamma, rows, channels);
          return;
        }
        // The running statistics do not depend on x.
        const [mean] = statistics;
        kernels.batchNormGrad(0, dgamma, dbeta, dy, x, mean, inverse, gamma, rows, channels);
        if (dx === 0) return;
        const zeros = scratch + 8 * padded;
        kernels.fill(zeros, 0, channels);
        kernels.batchNorm(dx, dy, zeros, inverse, gamma, zeros, rows, channels);
      },
    };
  },
};

export default kind;
