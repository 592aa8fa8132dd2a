/** AdaMax (Kingma & Ba 2015): Adam with the infinity norm of past gradients in place of a root. */
import { flushMoments } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class Adamax extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next
  @inline
  apply(
    p: usize, g: usize, m: usize, u: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, k: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  u ← max(β2·u, |h| + ε)
    const first = this.average(m, beta1, c1, h);
    const faded = f32x4.mul(beta2, v128.load(u));
    const largest = f32x4.pmax(faded, f32x4.add(f32x4.abs(h), eps));
    v128.store(u, largest);
    // θ ← θ·δ - k·(m/u), 0 where that divides by 0
    const ratio = changetype<GuardedQuotient>(0).of(first, largest);
    this.decayAndMove(p, theta, delta, f32x4.mul(k, ratio));
  }

  @inline
  flush(p: usize, g: usize, m: usize, u: usize, length: usize, constants: usize): void {
    flushMoments(m, u, length);
  }
}
