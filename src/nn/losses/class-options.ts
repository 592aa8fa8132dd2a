/** Checks of the options that losses over classes share. */
import { ArgumentError } from '../../errors';
import { checkNumber, fail } from '../../validate';

/**
 * Checks one weight per class, or per output, if there are any.
 * @throws ArgumentError unless each is in (0, 1e9] and above 0 in float32
 */
export function checkClassWeights(
  name: string,
  weights: unknown,
  outputs: number | undefined,
  each = 'class',
): void {
  if (weights === undefined) return;
  if (!Array.isArray(weights)) fail(name, 'an array of positive numbers', weights);
  for (const [index, weight] of weights.entries()) checkWeight(`${name}[${index}]`, weight);
  if (outputs !== undefined && weights.length !== outputs) {
    throw new ArgumentError(name, `${outputs} weights, one per ${each}`, `${weights.length}`);
  }
}

/** @throws ArgumentError unless the weight is in (0, 1e9] and above 0 in float32 */
export function checkWeight(name: string, weight: unknown): void {
  const value = checkNumber(name, weight, '(0, 1e9]', (x) => x > 0 && x <= 1e9);
  if (Math.fround(value) === 0)
    fail(name, 'a weight of at least 2^-149, the smallest float32', weight);
}

/** @throws ArgumentError unless the share is in [0, 1) */
export function checkSmoothing(name: string, share: unknown = 0): void {
  checkNumber(name, share, '[0, 1)', (value) => value >= 0 && value < 1);
}
