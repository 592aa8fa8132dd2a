/** Looks up the kinds of losses, and checks losses. */
import { elementCount } from '../../math/shape';
import { checkOptions, fail } from '../../validate';
import type { Shape } from '../layers/layer';
import type { CrossEntropyLoss } from './cross-entropy';
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
 * Returns the number of positions of a sample that a loss treats one by one: the product of all
 * axes of the output but the last for losses over classes, otherwise 1.
 */
export function positionsOf(loss: Loss, output: Shape): number {
  return lossKindOf(loss).lastAxis ? elementCount(output.slice(0, -1)) : 1;
}

/** Returns the label without loss, gradient and weight; NaN, which no label is, if there is none. */
export function ignoredLabel(loss: Loss): number {
  return (loss as Partial<CrossEntropyLoss>).ignoreLabel ?? Number.NaN;
}

/**
 * Checks a loss for an output of that shape, and returns a frozen copy, so that later
 * changes of the caller's object change no model.
 * @param argument name of the loss in errors
 * @throws ArgumentError for a value that is no loss, or a loss that does not fit the output
 */
export function checkLoss(argument: string, loss: unknown, output: Shape): Loss {
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
  const outputs = elementCount(output) / positionsOf(copy, output);
  found.check(copy, (field) => `${argument}.${field}`, outputs);
  return copy;
}
