/**
 * AdaBound (Luo et al. 2019): Adam whose rate is clamped to bounds that close in on a final one.
 */
import { flushMoments } from './flush';
import { Rule } from './rule';

@unmanaged
export class AdaBound extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, eps: v128, low: v128, high: v128, delta: v128, k11: v128,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // m ← β1·m + (1-β1)·h
    const m = f32x4.add(f32x4.mul(beta1, v128.load(s0)), f32x4.mul(c1, h));
    // v ← β2·v + (1-β2)·h²
    const v = f32x4.add(f32x4.mul(beta2, v128.load(s1)), f32x4.mul(c2, f32x4.mul(h, h)));
    v128.store(s0, m);
    v128.store(s1, v);
    // rate = min(max(k/(√v + ε), low), high), 0 where that divides by 0
    const d = f32x4.add(f32x4.sqrt(v), eps);
    const clamped = f32x4.pmin(f32x4.pmax(f32x4.div(k, d), low), high);
    const rate = v128.andnot(clamped, f32x4.eq(d, f32x4.splat(0)));
    // θ ← θ·δ - m·rate
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(m, rate)));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMoments(s0, s1, length);
  }
}
