/** What steps take in and report. */
import { ArgumentError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkFloats, isFloats } from '../tensors/parameter';
import type { TensorViews } from '../tensors/views';
import { fail } from '../validate';
import type { Slot } from './slots';

/** What a step did. */
export interface StepResult {
  /** Accepted steps so far, this one included if it was accepted. */
  step: number;
  /** True when the step was refused and `onNonFinite` is 'skip'. */
  skipped: boolean;
  /** Σ|g| over all unfrozen parameters, in float64; NaN or Infinity when a gradient is not finite. */
  gradNorm: number;
  /** Gradient elements that were NaN or infinite. */
  nonFinite: number;
  /** Why the step was skipped. */
  reason: 'non-finite' | 'overflow' | null;
}

/** A result to hand to `stepInto`. */
export function emptyResult(): StepResult {
  return { step: 0, skipped: false, gradNorm: 0, nonFinite: 0, reason: null };
}

/** Gradients by parameter name: every unfrozen parameter's. */
export type Gradients = Readonly<Record<string, Float32Array>>;

/**
 * Checks gradients by name for all parameters but sparse ones, of which those of frozen groups may be missing; then copies them to
 * where steps read them.
 * @param views the gradients that there are
 */
export function copyGradients(
  grads: Gradients,
  views: TensorViews,
  slots: readonly Slot[],
  groups: readonly { readonly frozen: boolean }[],
  runtime: Runtime,
): void {
  if (typeof grads !== 'object' || grads === null) fail('grads', 'an object of Float32Arrays by parameter name', grads);
  for (const name in grads) {
    if (!(name in views)) throw new ArgumentError(`grads.${name}`, 'the name of a parameter', 'an unknown name');
  }
  for (const { name, group, parameter, rows } of slots) {
    if (rows) continue;
    const { length } = parameter.value;
    if (!Object.hasOwn(grads, name)) {
      if (groups[group].frozen) continue;
      throw new ArgumentError(`grads.${name}`, `a Float32Array of ${length} elements`, 'nothing');
    }
    // Asked first, since a path for the error message would be made every step.
    if (!isFloats(grads[name], runtime, length)) checkFloats(`grads.${name}`, grads[name], runtime, length);
  }
  for (const { name, parameter } of slots) {
    if (Object.hasOwn(grads, name)) parameter.grad.data.set(grads[name]);
  }
}

/** Gradient elements that are NaN or infinite. */
export function countNonFinite(values: Float32Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count++;
  return count;
}
