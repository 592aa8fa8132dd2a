/**
 * The random numbers that round compact state. They depend on seed, step and element alone, so
 * neither threads nor the order of work change them. Element i of a tensor's step has a·i + b (mod
 * 2^32), with a and b well mixed from seed and step: uniform, pairwise independent, independent
 * from step to step, and computed by one addition. The mixer is Wellons' lowbias32 (2018,
 * https://nullprogram.com/blog/2018/07/31/).
 */

/** Returns a well-mixed number from another. */
export function mix(x: u32): u32 {
  x ^= x >>> 16;
  x *= 0x7feb352d;
  x ^= x >>> 15;
  x *= 0x846ca68b;
  return x ^ (x >>> 16);
}

/** Returns the key of a tensor's step. */
export function roundingKey(seed: u32, step: u32): u32 {
  return mix(seed ^ mix(step));
}

/** Numbers of the two moments, so that they are rounded independently. */
export const SECOND: u32 = 1;
export const FIRST: u32 = 2;

/** Returns four random u32, for elements i … i+3 of a moment. */
export function randomAt(key: u32, moment: u32, i: u32): v128 {
  const a = mix(key) | 1;
  const b = mix(key + moment) + a * i;
  return i32x4.add(i32x4.splat(<i32>b), i32x4.mul(i32x4.splat(<i32>a), i32x4(0, 1, 2, 3)));
}

/** Returns the difference between the numbers of four elements and those of the next four. */
export function randomStride(key: u32): v128 {
  return i32x4.splat(<i32>((mix(key) | 1) << 2));
}
