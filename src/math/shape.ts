/** Sizes of arrays with several axes. */

/** Elements of an array of this shape: the product of its sizes; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
