/** The hyperbolic tangent. Its gradient reads its output. */
import { Activation, activate, activationGradient } from '../math/activation';
import { tanh4 } from '../math/tanh';

@unmanaged
class Tanh extends Activation {
  @inline
  value(x: v128, k: v128): v128 {
    return tanh4(x);
  }

  /** dy·(1 - out²) */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(out, out)));
  }
}

export function tanh(out: usize, x: usize, n: i32): void {
  activate<Tanh>(out, x, n, 0);
}

export function tanhGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Tanh>(dx, dy, out, n, 0);
}
