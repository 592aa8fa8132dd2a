/** Objects whose properties are live views: what `optimizer.params` and `optimizer.grads` are. */
import type { Tensor } from './tensor';

/**
 * Named live views. Any string is an ordinary key, `__proto__` included: the object has no
 * prototype.
 */
export type TensorViews<Names extends string = string> = {
  readonly [Name in Names]: Float32Array;
};

/**
 * Adds a property for `tensor`.
 * @param check throws when views may not be handed out now
 */
export function defineView(
  views: TensorViews,
  name: string,
  tensor: Pick<Tensor, 'data'>,
  check: () => void,
): void {
  Object.defineProperty(views, name, {
    enumerable: true,
    get() {
      check();
      return tensor.data;
    },
  });
}

/** An object without prototype. */
export function createRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
