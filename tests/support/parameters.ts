/** Parameters for tests to which it does not matter which. */

/** A vector with values and a matrix of zeros: seven elements. */
export const two = () => ({ w: new Float32Array([1, 2, 3]), b: { shape: [2, 2] } });
