/**
 * Reductions. Each sums element i of a block into f64 accumulator i mod 16, then folds the sixteen in one fixed order, so
 * that the result depends on the elements alone: not on threads, nor on where a block lies.
 */

/** Σ|x| over `length` elements, a multiple of 16, in f64. NaN or Infinity in x gives NaN or Infinity. */
export function absSumBlock(x: usize, length: usize): f64 {
  let a0 = f64x2.splat(0);
  let a1 = f64x2.splat(0);
  let a2 = f64x2.splat(0);
  let a3 = f64x2.splat(0);
  let a4 = f64x2.splat(0);
  let a5 = f64x2.splat(0);
  let a6 = f64x2.splat(0);
  let a7 = f64x2.splat(0);
  for (const end = x + (length << 2); x < end; x += 64) {
    const x0 = f32x4.abs(v128.load(x));
    const x1 = f32x4.abs(v128.load(x, 16));
    const x2 = f32x4.abs(v128.load(x, 32));
    const x3 = f32x4.abs(v128.load(x, 48));
    a0 = f64x2.add(a0, f64x2.promote_low_f32x4(x0));
    a1 = f64x2.add(a1, f64x2.promote_low_f32x4(v128.shuffle<i32>(x0, x0, 2, 3, 2, 3)));
    a2 = f64x2.add(a2, f64x2.promote_low_f32x4(x1));
    a3 = f64x2.add(a3, f64x2.promote_low_f32x4(v128.shuffle<i32>(x1, x1, 2, 3, 2, 3)));
    a4 = f64x2.add(a4, f64x2.promote_low_f32x4(x2));
    a5 = f64x2.add(a5, f64x2.promote_low_f32x4(v128.shuffle<i32>(x2, x2, 2, 3, 2, 3)));
    a6 = f64x2.add(a6, f64x2.promote_low_f32x4(x3));
    a7 = f64x2.add(a7, f64x2.promote_low_f32x4(v128.shuffle<i32>(x3, x3, 2, 3, 2, 3)));
  }
  return fold(a0, a1, a2, a3, a4, a5, a6, a7);
}

/** ((a0+a1)+(a2+a3)) + ((a4+a5)+(a6+a7)), then lane 0 + lane 1. */
export function fold(a0: v128, a1: v128, a2: v128, a3: v128, a4: v128, a5: v128, a6: v128, a7: v128): f64 {
  const low = f64x2.add(f64x2.add(a0, a1), f64x2.add(a2, a3));
  const high = f64x2.add(f64x2.add(a4, a5), f64x2.add(a6, a7));
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
