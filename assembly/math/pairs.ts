/** Vectors of f32 as two pairs of f64, for sums that round once. */

/** The first two f32 of v, as f64. */
export function lowPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** The last two f32 of v, as f64. */
export function highPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/** Rounds two pairs to f32. */
export function rounded(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}
