/** The natural logarithm of two f64 at once. */
import { LN2_HIGH, LN2_LOW } from '../../src/math/log';

/**
 * Returns log x of a pair, with the bits of src/math/log.ts, where the method is explained: for
 * normal numbers above 0; NaN passes.
 */
export function logPair(x: v128): v128 {
  const one = f64x2.splat(1);
  // x = 2^k·m with m in [√½, √2)
  const exponents = i64x2.shr_u(x, 52);
  const k0 = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(exponents, exponents, 0, 2, 0, 2));
  const fraction = v128.and(x, i64x2.splat(0x000fffffffffffff));
  const m0 = v128.or(fraction, i64x2.splat(0x3fe0000000000000));
  const small = f64x2.lt(m0, f64x2.splat(sqrt(0.5)));
  const m = f64x2.add(m0, v128.and(small, m0));
  const k = f64x2.sub(f64x2.sub(k0, f64x2.splat(1022)), v128.and(small, one));
  const f = f64x2.sub(m, one);
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const halfSquare = f64x2.mul(f64x2.mul(f64x2.splat(0.5), f), f);
  const tail = f64x2.mul(s, f64x2.add(halfSquare, artanhTail(f64x2.mul(s, s))));
  const low = f64x2.add(tail, f64x2.mul(k, f64x2.splat(LN2_LOW)));
  const rest = f64x2.sub(f64x2.sub(halfSquare, low), f);
  const result = f64x2.sub(f64x2.mul(k, f64x2.splat(LN2_HIGH)), rest);
  return f64x2.add(result, f64x2.sub(x, x));
}

function artanhTail(z: v128): v128 {
  let r = f64x2.splat(2.0 / 25.0);
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 23.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 21.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 19.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 17.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 15.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 13.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 11.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 9.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 7.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 5.0));
  r = f64x2.add(f64x2.mul(r, z), f64x2.splat(2.0 / 3.0));
  return f64x2.mul(r, z);
}
