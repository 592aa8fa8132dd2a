/** Division by a root that may be 0: a coordinate whose second moment is 0 in float32, with ε = 0, does not move. */

/** n/d in every lane, and 0 where d is 0. The quotient must not overflow elsewhere. */
@inline
export function quotient(n: v128, d: v128): v128 {
  return v128.andnot(f32x4.div(n, d), f32x4.eq(d, f32x4.splat(0)));
}
