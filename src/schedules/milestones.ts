/** Increasing numbers of steps at which something changes. */
import { ArgumentError } from '../errors';
import { fail } from '../validate';
import { checkSteps } from './schedule';

/** Checks increasing numbers of steps, integers ≥ 1, and returns a frozen copy. */
export function checkRising(argument: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) fail(argument, 'an array of numbers of steps', value);
  // Array.from visits holes too, so they are refused.
  const steps = Array.from(value, (steps: unknown, index) =>
    checkSteps(`${argument}[${index}]`, steps),
  );
  for (let index = 1; index < steps.length; index++) {
    const [before, after] = [steps[index - 1], steps[index]];
    if (after <= before)
      throw new ArgumentError(argument, 'increasing numbers of steps', `${before} before ${after}`);
  }
  return Object.freeze(steps);
}

/** Counts the boundaries below the 1-based `step`. */
export function passed(boundaries: readonly number[], step: number): number {
  let count = 0;
  while (count < boundaries.length && boundaries[count] < step) count++;
  return count;
}
