/** The logistic function. Its gradient reads its output. */
import { Activation, activate, activationGradient } from '../math/activation';
import { sigmoid4 } from '../math/tanh';

@unmanaged
class Sigmoid extends Activation {
  @inline
  value(x: v128, k: v128): v128 {
    return sigmoid4(x);
  }

  /** dy·(out·(1 - out)) */
  @inline
  gradient(dy: v128, out: v128, k: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(out, f32x4.sub(f32x4.splat(1), out)));
  }
}

export function sigmoid(out: usize, x: usize, n: i32): void {
  activate<Sigmoid>(out, x, n, 0);
}

export function sigmoidGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Sigmoid>(dx, dy, out, n, 0);
}
