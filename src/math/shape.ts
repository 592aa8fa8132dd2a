/** Sizes of arrays with several axes. */

/** Returns the number of elements of an array: the product of its sizes, 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
