/** Adagrad (Duchi et al. 2011). */
import { Rule } from './rule';

@unmanaged
export class Adagrad extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, eps: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // v ← v + h²
    const v = f32x4.add(v128.load(s0), f32x4.mul(h, h));
    v128.store(s0, v);
    // θ ← θ·δ - h·(lr/max(√v + ε, 2^-126))
    const d = f32x4.pmax(f32x4.add(f32x4.sqrt(v), eps), f32x4.splat(1.1754943508222875e-38));
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(h, f32x4.div(lr, d))));
  }

  @inline
  flush(s0: usize, s1: usize, length: usize): void {}
}
