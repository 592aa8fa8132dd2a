/** The exponential linear unit of scale k ≥ 0. Its gradient reads its output. */
import { Activation, activateSingly, activationGradient } from '../math/activation';
import { tanh4 } from '../math/tanh';

@unmanaged
class Elu extends Activation {
  /** x > 0 ? x : k·(e^x - 1), where e^x - 1 = 2t/(1 - t) with t = tanh x/2 does not cancel */
  @inline
  value(x: v128, k: v128): v128 {
    const t = tanh4(f32x4.mul(x, f32x4.splat(0.5)));
    const below = f32x4.div(f32x4.add(t, t), f32x4.sub(f32x4.splat(1), t));
    return v128.bitselect(x, f32x4.mul(k, below), f32x4.gt(x, f32x4.splat(0)));
  }

  /** out > 0 ? dy : dy·(out + k) */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    const below = f32x4.mul(dy, f32x4.add(out, k));
    return v128.bitselect(dy, below, f32x4.gt(out, f32x4.splat(0)));
  }
}

export function elu(out: usize, x: usize, n: i32, alpha: f32): void {
  activateSingly<Elu>(out, x, n, alpha);
}

export function eluGrad(dx: usize, dy: usize, out: usize, n: i32, alpha: f32): void {
  activationGradient<Elu>(dx, dy, out, n, alpha);
}
