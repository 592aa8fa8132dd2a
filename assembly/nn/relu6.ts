/** The rectified linear unit that ends at 6. Its gradient reads its output. */
import { Activation, activate, activationGradient } from '../math/activation';

@unmanaged
class Relu6 extends Activation {
  /** x < 0 ? 0 : x > 6 ? 6 : x */
  @inline
  value(x: v128, k: v128): v128 {
    const positive = v128.andnot(x, f32x4.lt(x, f32x4.splat(0)));
    return f32x4.pmin(positive, f32x4.splat(6));
  }

  /** 0 < out < 6 ? dy : 0 */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    const inside = v128.and(f32x4.gt(out, f32x4.splat(0)), f32x4.lt(out, f32x4.splat(6)));
    return v128.and(dy, inside);
  }
}

export function relu6(out: usize, x: usize, n: i32): void {
  activate<Relu6>(out, x, n, 0);
}

export function relu6Grad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Relu6>(dx, dy, out, n, 0);
}
