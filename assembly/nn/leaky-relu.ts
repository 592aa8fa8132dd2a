/** The leaky rectified linear unit of slope k ≥ 0. Its gradient reads its output. */
import { Activation, activate, activationGradient } from '../math/activation';

@unmanaged
class LeakyRelu extends Activation {
  /** x < 0 ? k·x : x */
  @inline
  value(x: v128, k: v128): v128 {
    return v128.bitselect(f32x4.mul(x, k), x, f32x4.lt(x, f32x4.splat(0)));
  }

  /** out > 0 ? dy : k·dy */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    return v128.bitselect(dy, f32x4.mul(dy, k), f32x4.gt(out, f32x4.splat(0)));
  }
}

export function leakyRelu(out: usize, x: usize, n: i32, slope: f32): void {
  activate<LeakyRelu>(out, x, n, slope);
}

export function leakyReluGrad(dx: usize, dy: usize, out: usize, n: i32, slope: f32): void {
  activationGradient<LeakyRelu>(dx, dy, out, n, slope);
}
