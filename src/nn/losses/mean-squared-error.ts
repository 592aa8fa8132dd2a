/** Squared error, for regression. */
import { checkNoMore } from '../../validate';
import type { LossKind } from './loss';

export interface MeanSquaredErrorLoss {
  readonly kind: 'meanSquaredError';
}

/**
 * The mean over batch and outputs of (x - t)².
 * @example createModel(runtime, { inputSize: 8, layers: [dense(1)], loss: meanSquaredError() })
 */
export function meanSquaredError(): MeanSquaredErrorLoss;
export function meanSquaredError(...extra: unknown[]): MeanSquaredErrorLoss {
  checkNoMore('meanSquaredError()', extra, 'it describes the loss, and takes no outputs or targets');
  return { kind: 'meanSquaredError' };
}

export const meanSquaredErrorKind: LossKind<MeanSquaredErrorLoss> = {
  targets: 'values',
  fields: [],
  check() {},
  constants: () => [],
  compute: (_loss, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.meanSquaredError(gradient, output, targets, count * outputs),
};
