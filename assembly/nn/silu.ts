/** The sigmoid linear unit. Its gradient reads its input. */
import { Activation, activate, activationGradient } from '../math/activation';
import { sigmoid4 } from '../math/tanh';

@unmanaged
class Silu extends Activation {
  /** x·σ(x) */
  @inline
  value(x: v128, k: v128): v128 {
    return f32x4.mul(x, sigmoid4(x));
  }

  /** dy·(σ·(1 + x·(1 - σ))) */
  @inline
  gradient(dy: v128, x: v128, k: v128): v128 {
    const one = f32x4.splat(1);
    const sigma = sigmoid4(x);
    return f32x4.mul(dy, f32x4.mul(sigma, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, sigma)))));
  }
}

export function silu(out: usize, x: usize, n: i32): void {
  activate<Silu>(out, x, n, 0);
}

export function siluGrad(dx: usize, dy: usize, x: usize, n: i32): void {
  activationGradient<Silu>(dx, dy, x, n, 0);
}
