/** What a schedule is, and the one check all of them make. */
import { checkInteger } from '../validate';

/** A learning rate as a pure function of the step. Steps count from 1. */
export type Schedule = (step: number) => number;

/** @throws ArgumentError unless `step` is a whole number ≥ 1 */
export function checkStep(step: number): void {
  checkInteger('step', step, 1, Number.MAX_SAFE_INTEGER);
}
