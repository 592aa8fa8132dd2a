/** Gradients and results of steps. */
import { ArgumentError } from '../errors';
import type { Runtime } from '../runtime/runtime';
import { checkFloats, isFloats } from '../tensors/parameter';
import type { TensorViews } from '../tensors/views';
import { fail } from '../validate';
import type { RegisteredParameter } from './registered-parameter';

/** The outcome of a step. */
export interface StepResult {
  /** Accepted steps so far, this one included if it was accepted. */
  step: number;
  /** True when the step was refused and `onNonFinite` is 'skip'. */
  skipped: boolean;
  /**
   * The L1 norm Σ|g| of the gradient over all unfrozen parameters, in float64, before clipping; NaN
   * or Infinity when an element is not finite.
   */
  gradL1Norm: number;
  /** @deprecated The former name of `gradL1Norm`. */
  gradNorm: number;
  /** Gradient elements that were NaN or infinite. */
  nonFinite: number;
  /** Why the step was skipped. */
  reason: 'non-finite' | 'overflow' | null;
}

/** Returns an empty result for `stepInto`. */
export function emptyResult(): StepResult {
  return { step: 0, skipped: false, gradL1Norm: 0, gradNorm: 0, nonFinite: 0, reason: null };
}

/** Writes the outcome of an accepted step; its fields are assigned one by one: see `stepInto`. */
export function writeResult(result: StepResult, step: number, gradNorm: number): void {
  result.gradL1Norm = gradNorm;
  result.gradNorm = gradNorm;
  result.step = step;
  result.skipped = false;
  result.nonFinite = 0;
  result.reason = null;
}

/** Gradients by parameter name: one for every unfrozen parameter. */
export type Gradients<Names extends string = string> = {
  readonly [Name in Names]?: Float32Array;
};

/** Throws before a step unless its result can be written into this object. */
export function checkResult(result: StepResult): void {
  if (typeof result !== 'object' || result === null)
    fail('result', 'an object to write the result into', result);
  const { step, skipped, gradL1Norm, gradNorm, nonFinite, reason } = result;
  try {
    result.step = step;
    result.skipped = skipped;
    result.gradL1Norm = gradL1Norm;
    result.gradNorm = gradNorm;
    result.nonFinite = nonFinite;
    result.reason = reason;
  } catch {
    fail('result', 'an object whose fields can be written', result);
  }
}

/**
 * Reads gradients by name and checks what it has read; what is copied later is not read again.
 * Those of frozen groups may be missing; sparse parameters have none.
 * @param to by parameter: its gradient, or null
 * @param views the gradients that there are
 */
export function readGradients(
  to: (Float32Array | null)[],
  grads: Gradients,
  views: TensorViews,
  parameters: readonly RegisteredParameter[],
  isFrozen: (group: number) => boolean,
): void {
  if (typeof grads !== 'object' || grads === null)
    fail('grads', 'an object of Float32Arrays by parameter name', grads);
  for (const name in grads) {
    if (!(name in views))
      throw new ArgumentError(`grads.${name}`, 'the name of a parameter', 'an unknown name');
    // Whatever a getter throws comes before anything is taken.
    if (!isFloats(grads[name], parameters[0].parameter.value.runtime)) break;
  }
  for (let index = 0; index < parameters.length; index++) {
    const { name, group, parameter, rows } = parameters[index];
    to[index] = null;
    if (rows) continue;
    const { length, runtime } = parameter.value;
    if (!Object.hasOwn(grads, name)) {
      if (isFrozen(group)) continue;
      throw new ArgumentError(`grads.${name}`, `a Float32Array of ${length} elements`, 'nothing');
    }
    const values = grads[name];
    // Asked first, since a path for the error message would be made every step.
    to[index] = isFloats(values, runtime, length)
      ? values
      : checkFloats(`grads.${name}`, values, runtime, length);
  }
}

/**
 * Copies gradients that were read to where steps read them, or none of them: they are checked once
 * more, since a callback that ran in between may have resized or transferred their buffers.
 */
export function writeGradients(
  from: (Float32Array | null)[],
  parameters: readonly RegisteredParameter[],
  runtime: Runtime,
): void {
  for (let index = 0; index < parameters.length; index++) {
    const { name, parameter } = parameters[index];
    const values = from[index];
    const { length } = parameter.value;
    if (values !== null && !isFloats(values, runtime, length))
      checkFloats(`grads.${name}`, values, runtime, length);
  }
  for (let index = 0; index < parameters.length; index++) {
    const values = from[index];
    if (values !== null) parameters[index].parameter.grad.data.set(values);
    from[index] = null;
  }
}
