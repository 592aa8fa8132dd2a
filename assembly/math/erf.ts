/**
 * The error function of four f32, computed with exp4 and + - × alone, and so with the same bits on
 * every engine.
 */
import { exp4 } from './exp';

const SIGN: i32 = 0x80000000;

/**
 * Returns erf x, to 1.3 ulp: ±0 exactly at ±0, ±1 from ±4 on; NaN passes.
 *
 * With a = |x|: a + a·P(a²) below 0.9, else 1 - e^(a·Q(a)), since erfc has the simpler logarithm.
 * P and Q are minimax polynomials; their own errors are below 0.2 ulp.
 */
export function erf4(x: v128): v128 {
  // f32x4.pmin passes NaN in its first operand.
  const a = f32x4.pmin(f32x4.abs(x), f32x4.splat(4));
  const z = f32x4.mul(a, a);
  let p = f32x4.add(
    f32x4.mul(z, f32x4.splat(-0.0006090360111556947)),
    f32x4.splat(0.005011963192373514),
  );
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(-0.02677890844643116));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(0.11282140761613846));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(-0.3761252462863922));
  p = f32x4.add(f32x4.mul(z, p), f32x4.splat(0.12837915122509003));
  const small = f32x4.add(a, f32x4.mul(a, p));
  let q = f32x4.add(
    f32x4.mul(a, f32x4.splat(-0.000010763096724986099)),
    f32x4.splat(0.00031805894104763865),
  );
  q = f32x4.add(f32x4.mul(a, q), f32x4.splat(-0.003622915595769882));
  q = f32x4.add(f32x4.mul(a, q), f32x4.splat(0.02372017875313759));
  q = f32x4.add(f32x4.mul(a, q), f32x4.splat(-0.106187604367733));
  q = f32x4.add(f32x4.mul(a, q), f32x4.splat(-0.6351814866065979));
  q = f32x4.add(f32x4.mul(a, q), f32x4.splat(-1.1286410093307495));
  const large = f32x4.sub(f32x4.splat(1), exp4(f32x4.mul(a, q)));
  const magnitude = v128.bitselect(small, large, f32x4.lt(a, f32x4.splat(0.9)));
  return v128.or(magnitude, v128.and(x, i32x4.splat(SIGN)));
}
