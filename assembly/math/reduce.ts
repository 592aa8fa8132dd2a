/**
 * Reductions. Each sums element i of a block into f64 accumulator i mod 16, then folds the sixteen
 * in one fixed order, so that the result depends on the elements alone, not on threads or
 * addresses.
 */

import { turnsEnd } from './partial';

/** The order in which accumulators are added. Never instantiated: see activation.ts. */
@unmanaged
export class Fold {
  /** Returns ((a0+a1)+(a2+a3)) + ((a4+a5)+(a6+a7)), lane 0 + lane 1. */
  // biome-ignore format: one line a half
  @inline
  of(
    a0: v128, a1: v128, a2: v128, a3: v128,
    a4: v128, a5: v128, a6: v128, a7: v128,
  ): f64 {
    const low = f64x2.add(f64x2.add(a0, a1), f64x2.add(a2, a3));
    const high = f64x2.add(f64x2.add(a4, a5), f64x2.add(a6, a7));
    const sum = f64x2.add(low, high);
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  }
}

/**
 * Two terms of a sum at once, as f64x2, from the f32 pair at x. The class is never instantiated:
 * see activation.ts.
 */
@unmanaged
export class Term {
  pair(x: usize): v128 {
    return f64x2.splat(0);
  }
}

@unmanaged
export class Magnitude extends Term {
  /** |x| */
  @inline
  pair(x: usize): v128 {
    return f64x2.abs(f64x2.promote_low_f32x4(v128.load64_zero(x)));
  }
}

@unmanaged
export class Square extends Term {
  /** x², exact in f64 */
  @inline
  pair(x: usize): v128 {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(x));
    return f64x2.mul(a, a);
  }
}

/**
 * Returns the sum of the terms that T makes of one block of `bytes` bytes, a multiple of 64. NaN or
 * Infinity in x gives NaN or Infinity.
 */
export function sumBlock<T extends Term>(x: usize, bytes: usize): f64 {
  let a0 = f64x2.splat(0);
  let a1 = f64x2.splat(0);
  let a2 = f64x2.splat(0);
  let a3 = f64x2.splat(0);
  let a4 = f64x2.splat(0);
  let a5 = f64x2.splat(0);
  let a6 = f64x2.splat(0);
  let a7 = f64x2.splat(0);
  for (const end = x + bytes; x < end; x += 64) {
    // a[i mod 16] += term(x[i])
    a0 = f64x2.add(a0, changetype<T>(0).pair(x));
    a1 = f64x2.add(a1, changetype<T>(0).pair(x + 8));
    a2 = f64x2.add(a2, changetype<T>(0).pair(x + 16));
    a3 = f64x2.add(a3, changetype<T>(0).pair(x + 24));
    a4 = f64x2.add(a4, changetype<T>(0).pair(x + 32));
    a5 = f64x2.add(a5, changetype<T>(0).pair(x + 40));
    a6 = f64x2.add(a6, changetype<T>(0).pair(x + 48));
    a7 = f64x2.add(a7, changetype<T>(0).pair(x + 56));
  }
  return changetype<Fold>(0).of(a0, a1, a2, a3, a4, a5, a6, a7);
}

/**
 * Returns max|x| over n elements; NaN if any is NaN. Magnitudes compare as their bits do, and the
 * bits of NaN are above those of Infinity; so an integer maximum passes NaN, which f32x4.pmax does
 * not.
 */
export function largestMagnitude(x: usize, n: i32): f32 {
  let m0 = i32x4.splat(0);
  let m1 = m0;
  for (const end = turnsEnd(x, n); x < end; x += 64) {
    m0 = i32x4.max_s(m0, f32x4.abs(v128.load(x)));
    m1 = i32x4.max_s(m1, f32x4.abs(v128.load(x, 16)));
    m0 = i32x4.max_s(m0, f32x4.abs(v128.load(x, 32)));
    m1 = i32x4.max_s(m1, f32x4.abs(v128.load(x, 48)));
  }
  m0 = i32x4.max_s(m0, m1);
  m0 = i32x4.max_s(m0, v128.shuffle<i32>(m0, m0, 2, 3, 2, 3));
  return reinterpret<f32>(max(i32x4.extract_lane(m0, 0), i32x4.extract_lane(m0, 1)));
}
