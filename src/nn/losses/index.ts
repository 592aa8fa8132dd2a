/** All losses. A new one is a file here and two lines in this one. */
import { checkOptions, fail } from '../../validate';
import { type BinaryCrossEntropyLoss, binaryCrossEntropyKind } from './binary-cross-entropy';
import { type CrossEntropyLoss, crossEntropyKind } from './cross-entropy';
import { type HuberLoss, huberKind } from './huber';
import type { LossKind } from './loss';
import { type MeanSquaredErrorLoss, meanSquaredErrorKind } from './mean-squared-error';

export type Loss = CrossEntropyLoss | BinaryCrossEntropyLoss | MeanSquaredErrorLoss | HuberLoss;

const KINDS = {
  crossEntropy: crossEntropyKind,
  binaryCrossEntropy: binaryCrossEntropyKind,
  meanSquaredError: meanSquaredErrorKind,
  huber: huberKind,
} as const;

/** The kind of a checked loss. */
export function lossKindOf(loss: Loss): LossKind<Loss> {
  return KINDS[loss.kind] as unknown as LossKind<Loss>;
}

/**
 * A frozen copy of a loss, checked for a model with so many outputs: later changes of the caller's
 * object change no model.
 * @param argument names the loss in errors
 * @throws ArgumentError for what is no loss, or does not fit
 */
export function checkLoss(argument: string, loss: unknown, outputs: number): Loss {
  if (typeof loss === 'function')
    fail(argument, 'a loss: call the function that makes it, as in huber()', loss);
  const { kind } = (loss ?? {}) as { kind?: unknown };
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) {
    fail(argument, `a loss (${Object.keys(KINDS).join(', ')})`, loss);
  }
  const found = KINDS[kind as keyof typeof KINDS] as unknown as LossKind<Loss>;
  checkOptions(argument, loss, ['kind', ...found.fields]);
  const fields = Object.entries({ ...(loss as Loss), kind }).map(([field, value]) => {
    return [field, Array.isArray(value) ? Object.freeze([...value]) : value] as const;
  });
  const copy = Object.freeze(Object.fromEntries(fields)) as unknown as Loss;
  found.check(copy, (field) => `${argument}.${field}`, outputs);
  return copy;
}
