/** Rising numbers of steps at which something changes. */
import { ArgumentError } from '../errors';
import { fail } from '../validate';
import { checkSteps } from './schedule';

/** A frozen copy of rising numbers of steps, each a whole number ≥ 1. */
export function checkRising(argument: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) fail(argument, 'an array of numbers of steps', value);
  // By index: holes are refused too.
  const steps = Array.from(value, (steps: unknown, index) =>
    checkSteps(`${argument}[${index}]`, steps),
  );
  for (let index = 1; index < steps.length; index++) {
    const [before, after] = [steps[index - 1], steps[index]];
    if (after <= before)
      throw new ArgumentError(argument, 'rising numbers of steps', `${before} before ${after}`);
  }
  return Object.freeze(steps);
}

/** How many of the rising numbers of steps are over at the 1-based `step`. */
export function passed(boundaries: readonly number[], step: number): number {
  let count = 0;
  while (count < boundaries.length && boundaries[count] < step) count++;
  return count;
}
