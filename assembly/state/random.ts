/**
 * The random numbers that round compact state: a hash of seed, step and element, so that they depend on neither threads nor
 * on the order of work. The hash is Wellons' lowbias32 (2018, https://nullprogram.com/blog/2018/07/31/).
 */

/** One well-mixed number from another. */
export function mix(x: u32): u32 {
  x ^= x >>> 16;
  x *= 0x7feb352d;
  x ^= x >>> 15;
  x *= 0x846ca68b;
  return x ^ (x >>> 16);
}

/** The key of a tensor's step. */
export function roundingKey(seed: u32, step: u32): u32 {
  return mix(seed ^ mix(step));
}

/** Four random u32 for elements i … i+3. */
export function randomAt(key: u32, i: u32): v128 {
  let x = i32x4.add(i32x4.splat(<i32>(key + i)), i32x4(0, 1, 2, 3));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(<i32>0x846ca68b));
  return v128.xor(x, i32x4.shr_u(x, 16));
}
