/** AMSGrad (Reddi et al. 2018): Adam with the maximum of v, taken before bias correction. */
import { flushMoments } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class AMSGrad extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize, w: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  v ← β2·v + (1-β2)·h²
    const first = this.average(m, beta1, c1, h);
    const second = this.average(v, beta2, c2, f32x4.mul(h, h));
    // w ← max(w, v)
    const largest = f32x4.pmax(v128.load(w), second);
    v128.store(w, largest);
    // θ ← θ·δ - m·(k/(s·√w + ε)), 0 where that divides by 0
    const rate = changetype<GuardedQuotient>(0).of(k, this.denominator(s, largest, eps));
    this.decayAndMove(p, theta, delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, w: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}
