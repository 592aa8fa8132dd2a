/** The rectified linear unit. Its gradient reads its output. */
import { Activation, activate, activationGradient } from '../math/activation';

@unmanaged
class Relu extends Activation {
  /** x < 0 ? 0 : x */
  @inline
  value(x: v128, k: v128): v128 {
    return v128.andnot(x, f32x4.lt(x, f32x4.splat(0)));
  }

  /** out > 0 ? dy : 0 */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    return v128.and(dy, f32x4.gt(out, f32x4.splat(0)));
  }
}

export function relu(out: usize, x: usize, n: i32): void {
  activate<Relu>(out, x, n, 0);
}

export function reluGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Relu>(dx, dy, out, n, 0);
}
