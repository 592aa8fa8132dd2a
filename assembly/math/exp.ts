/**
 * The exponential of four f32, computed with + - × and bit shifts alone, and so with the same bits
 * on every engine.
 */

/** Below this (-126·log 2, rounded towards 0) e^x would be subnormal, and 0 is returned instead. */
const LOWEST: f32 = -87.33654;

/**
 * Returns e^x for x ≤ 88, to 1.25 ulp (the largest error in a third of all such f32 was 1.207):
 * exactly 1 at ±0, exactly 0 below LOWEST and at -Infinity; NaN passes.
 *
 * x = k·log 2 + r with |r| ≤ (log 2)/2; e^r is its Taylor polynomial of degree 7, whose remainder
 * there is below 2^-27. Adding 1.5·2^23 leaves k in the low bits of the sum; log 2 is split so that
 * k times its high part is exact.
 */
export function exp4(x: v128): v128 {
  const magic = f32x4.splat(12582912);
  // t = x·log2 e + 1.5·2^23;  k = t - 1.5·2^23;  r = (x - k·ln2High) - k·ln2Low
  const t = f32x4.add(f32x4.mul(x, f32x4.splat(<f32>Math.LOG2E)), magic);
  const k = f32x4.sub(t, magic);
  const high = f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(k, f32x4.splat(-0.00021219444005469057)));
  // p = 1 + r·(1 + r·(1/2 + r·(1/6 + r·(1/24 + r·(1/120 + r·(1/720 + r/5040))))))
  let p = f32x4.add(
    f32x4.mul(r, f32x4.splat(0.0001984126984126984)),
    f32x4.splat(0.001388888888888889),
  );
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(0.008333333333333333));
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(0.041666666666666664));
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(0.16666666666666666));
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(1));
  p = f32x4.add(f32x4.mul(r, p), f32x4.splat(1));
  // p·2^k, with k + 127 as the exponent bits of the power; 0 for x < LOWEST
  const power = i32x4.add(i32x4.shl(t, 23), i32x4.splat(0x3f800000));
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(LOWEST)));
}
