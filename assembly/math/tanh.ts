/**
 * tanh and the logistic function of four f32, computed with exp4 and + - × ÷, and so with the same
 * bits on every engine.
 */
import { exp4 } from './exp';

const SIGN: i32 = 0x80000000;

/**
 * Returns tanh x, to 3 ulp: ±0 exactly at ±0, ±1 at ±Infinity; NaN passes.
 *
 * With a = |x|: the Taylor series up to a^17 for a below ½, where its remainder is below 2^-27;
 * (1 - t)/(1 + t) with t = e^-2a from ½ on.
 */
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1);
  const a = f32x4.abs(x);
  const z = f32x4.mul(a, a);
  // p = -1/3 + z·(2/15 + z·(-17/315 + …));  small = a + a·(z·p)
  let p = f32x4.add(
    f32x4.mul(z, f32x4.splat(0.0005900274409455859)),
    f32x4.splat(-0.0014558343870513183),
  );
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(0.003592128036572481));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(-0.008863235529902197));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(0.021869488536155203));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(-0.05396825396825397));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(0.13333333333333333));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(-0.3333333333333333));
  const small = f32x4.add(a, f32x4.mul(a, f32x4.mul(z, p)));
  const t = exp4(f32x4.mul(a, f32x4.splat(-2)));
  const large = f32x4.div(f32x4.sub(one, t), f32x4.add(one, t));
  const magnitude = v128.bitselect(small, large, f32x4.lt(a, f32x4.splat(0.5)));
  return v128.or(magnitude, v128.and(x, i32x4.splat(SIGN)));
}

/**
 * Returns 1/(1 + e^-x), to 3 ulp: exactly ½ at ±0, 1 from 17 on, 0 below -87.33654; NaN passes.
 *
 * With e = e^-|x|: 1/(1 + e) from 0 on and e/(1 + e) below, so that neither side cancels.
 */
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const numerator = v128.bitselect(e, one, f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(one, e));
}
