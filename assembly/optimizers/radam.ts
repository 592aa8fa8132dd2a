/**
 * RAdam (Liu et al. 2020): Adam once the variance of its step is tractable (ka), the bare momentum
 * before (kb).
 */
import { flushMoments } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class RAdam extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    ka: v128, kb: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  v ← β2·v + (1-β2)·h²
    const first = this.average(m, beta1, c1, h);
    const second = this.average(v, beta2, c2, f32x4.mul(h, h));
    // θ ← θ·δ - m·(ka/(√v + ε) + kb), with 0 for ka/0
    const d = f32x4.add(f32x4.sqrt(second), eps);
    const rate = f32x4.add(changetype<GuardedQuotient>(0).of(ka, d), kb);
    this.decayAndMove(p, theta, delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}
