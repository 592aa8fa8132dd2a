/** Named live views of tensors, such as `optimizer.params` and `optimizer.grads`. */
import type { Tensor } from './tensor';

/**
 * Named live views of tensors in linear memory. Every property is a getter that returns the
 * tensor's current view; read it again after any call that may allocate. The object has no
 * prototype, so that any string is an ordinary key, even `__proto__`.
 *
 * @typeParam Names names of the tensors
 */
export type TensorViews<Names extends string = string> = {
  readonly [Name in Names]: Float32Array;
};

/**
 * Adds a property that returns the view of `tensor`.
 * @param check throws if views may not be read now
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

/** Creates an object without a prototype. */
export function createRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
