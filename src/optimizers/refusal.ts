/** Why a step was refused, and which parameter caused it. */
import { NonFiniteGradientError } from '../errors';
import { STATUS_NON_FINITE } from '../memory-layout/constants';
import type { RegisteredParameter } from './registered-parameter';
import type { StepTable } from './step-table';

/**
 * Returns the error of the step of `table`, which was refused.
 * @param parameters those of the table, in its order
 * @param gradientOf returns what the step read of a parameter's gradient
 */
export function refusalOf(
  table: StepTable,
  parameters: readonly RegisteredParameter[],
  gradientOf: (registered: RegisteredParameter) => Iterable<number>,
): NonFiniteGradientError {
  if (table.status !== STATUS_NON_FINITE) {
    const { group, name } = parameters[table.offender];
    return new NonFiniteGradientError('overflow', group, name, 0, table.offenderLimit);
  }
  let first: RegisteredParameter | undefined;
  let total = 0;
  for (const registered of parameters) {
    let count = 0;
    for (const value of gradientOf(registered)) if (!Number.isFinite(value)) count++;
    if (count > 0) first ??= registered;
    total += count;
  }
  return new NonFiniteGradientError('non-finite', first?.group ?? 0, first?.name ?? '', total);
}
