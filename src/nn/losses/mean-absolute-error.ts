/** Mean absolute error, for regression with outliers. */
import { checkNoMore } from '../../validate';
import { type LossKind, ON_VALUES } from './loss';

/** The description of the mean absolute error. */
export interface MeanAbsoluteErrorLoss {
  readonly kind: 'meanAbsoluteError';
}

/**
 * Describes the mean absolute error: the mean over batch and outputs of |x - t|, for finite targets
 * t. Its gradient is 0 where x = t.
 * @example createModel(runtime, { inputSize: 8, layers: [dense(1)], loss: meanAbsoluteError() })
 */
export function meanAbsoluteError(): MeanAbsoluteErrorLoss;
export function meanAbsoluteError(...extra: unknown[]): MeanAbsoluteErrorLoss {
  checkNoMore(
    'meanAbsoluteError()',
    extra,
    'it describes the loss; it takes no outputs or targets',
  );
  return { kind: 'meanAbsoluteError' };
}

const kind: LossKind<MeanAbsoluteErrorLoss> = {
  ...ON_VALUES,
  fields: [],
  check() {},
  constants: () => [],
  compute: (_loss, kernels, { output, gradient, targets }, count, outputs) =>
    kernels.meanAbsoluteError(gradient, output, targets, count * outputs),
};

export default kind;
