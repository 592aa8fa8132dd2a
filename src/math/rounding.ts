/**
 * The random numbers that round compact state stochastically, as assembly/state/random.ts has them:
 * element i of a tensor's step is given a·i + b (mod 2^32), with a and b well mixed from seed and
 * step.
 */

/** Wellons' lowbias32. */
function mix(x: number): number {
  let y = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  y = Math.imul(y ^ (y >>> 15), 0x846ca68b);
  return (y ^ (y >>> 16)) >>> 0;
}

/** Returns the key of a tensor's step. */
export function roundingKey(seed: number, step: number): number {
  return mix(seed ^ mix(step));
}

/** Returns the random u32 for element `i` of a first or second moment. */
export function randomAt(key: number, second: boolean, i: number): number {
  return (mix((key + (second ? 1 : 2)) >>> 0) + Math.imul(mix(key) | 1, i)) >>> 0;
}
