/** AdaBelief (Zhuang et al. 2020): the second moment is that of the gradient about its mean. */
import { flushMoments } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class AdaBelief extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h
    const first = this.average(m, beta1, c1, h);
    // v ← β2·v + (1-β2)·(h - m)² + ε
    const b = f32x4.sub(h, first);
    const mean = f32x4.add(f32x4.mul(beta2, v128.load(v)), f32x4.mul(c2, f32x4.mul(b, b)));
    const second = f32x4.add(mean, eps);
    v128.store(v, second);
    // θ ← θ·δ - m·(k/(s·√v + ε)), 0 where that divides by 0
    const rate = changetype<GuardedQuotient>(0).of(k, this.denominator(s, second, eps));
    this.decayAndMove(p, theta, delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}
