/** Powers of averaging factors, which tensors keep for bias correction. */
import { checkNumber } from '../validate';
import type { ScalarField } from './declaration';
import type { Betas } from './hyperparameters';
import type { StepScalars } from './step-scalars';

/** A power of an averaging factor, by repeated product. */
export const POWER: ScalarField = {
  initial: 1,
  check: (path, value) => checkNumber(path, value, '[0, 1]', (x) => x >= 0 && x <= 1),
};

/** β1^t and β2^t. */
export const POWERS = { beta1Power: POWER, beta2Power: POWER };

/**
 * Advances β1^t and β2^t, the first of a tensor's own scalars, to the coming step. Where a schedule
 * cycles β1, the first is the product of all β1: 1 minus it is the sum of the weights in m.
 */
export function advancePowers(
  { own, momentum }: StepScalars,
  { betas }: { readonly betas: Betas },
): void {
  own[0] *= momentum;
  own[1] *= betas[1];
}
