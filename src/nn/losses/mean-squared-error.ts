/** Mean squared error, for regression. */
import { checkNoMore } from '../../validate';
import { type LossKind, ON_VALUES } from './loss';

/** The description of the mean squared error. */
export interface MeanSquaredErrorLoss {
  readonly kind: 'meanSquaredError';
}

/**
 * Describes the mean squared error: the mean over batch and outputs of (x - t)², for finite targets
 * t.
 * @example createModel(runtime, { inputSize: 8, layers: [dense(1)], loss: meanSquaredError() })
 */
export function meanSquaredError(): MeanSquaredErrorLoss;
export function meanSquaredError(...extra: unknown[]): MeanSquaredErrorLoss {
  checkNoMore('meanSquaredError()', extra, 'it describes the loss; it takes no outputs or targets');
  return { kind: 'meanSquaredError' };
}

const kind: LossKind<MeanSquaredErrorLoss> = {
  ...ON_VALUES,
  fields: [],
  check() {},
  constants: () => [],
  compute: (_loss, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.meanSquaredError(gradient, output, targets, count * outputs),
};

export default kind;
