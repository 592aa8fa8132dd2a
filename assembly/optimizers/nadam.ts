/** NAdam (Dozat 2016): Adam with Nesterov momentum; kg and km carry its momentum schedule. */
import { flushMoments } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class NAdam extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    kg: v128, km: v128, s: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  v ← β2·v + (1-β2)·h²
    const first = this.average(m, beta1, c1, h);
    const second = this.average(v, beta2, c2, f32x4.mul(h, h));
    // θ ← θ·δ - (kg·h + km·m)/(s·√v + ε), 0 where that divides by 0
    const n = f32x4.add(f32x4.mul(kg, h), f32x4.mul(km, first));
    const move = changetype<GuardedQuotient>(0).of(n, this.denominator(s, second, eps));
    this.decayAndMove(p, theta, delta, move);
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}
