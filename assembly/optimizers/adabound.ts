/**
 * AdaBound (Luo et al. 2019): Adam whose rate is clamped to bounds that converge to a final one.
 */
import { flushMoments } from './flush';
import { Kernel } from './kernel';

@unmanaged
export class AdaBound extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, eps: v128, low: v128, high: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  v ← β2·v + (1-β2)·h²
    const first = this.average(m, beta1, c1, h);
    const second = this.average(v, beta2, c2, f32x4.mul(h, h));
    // rate = min(max(k/(√v + ε), low), high), 0 where that divides by 0
    const d = f32x4.add(f32x4.sqrt(second), eps);
    const clamped = f32x4.pmin(f32x4.pmax(f32x4.div(k, d), low), high);
    const rate = v128.andnot(clamped, f32x4.eq(d, f32x4.splat(0)));
    // θ ← θ·δ - m·rate
    this.decayAndMove(p, theta, delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}
