/** Looks up the kinds of losses, and checks losses. */
import { checkOptions, fail } from '../../validate';
import KINDS, { type Loss } from './list';
import type { LossKind } from './loss';

export type { Loss } from './list';

/** Losses of the outputs, in their order: null for an output without one, and their weights. */
export type OutputLosses = readonly { readonly loss: Loss | null; readonly weight: number }[];

/** Returns the kind of a checked loss. */
export function lossKindOf(loss: Loss): LossKind<Loss> {
  return KINDS[loss.kind] as unknown as LossKind<Loss>;
}

/**
 * Checks a loss for a model with that many outputs, and returns a frozen copy, so that later
 * changes of the caller's object change no model.
 * @param argument name of the loss in errors
 * @throws ArgumentError for a value that is no loss, or a loss that does not fit the outputs
 */
export function checkLoss(argument: string, loss: unknown, outputs: number): Loss {
  if (typeof loss === 'function') fail(argument, 'a loss: call the function, as in huber()', loss);
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
