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
    // v ← min(v + h², the largest float32)
    const v = f32x4.pmin(f32x4.add(v128.load(s0), f32x4.mul(h, h)), f32x4.splat(3.4028234663852886e38));
    v128.store(s0, v);
    // θ ← θ·δ - h·(lr/(√v + ε)), 0 where that divides by 0
    const d = f32x4.add(f32x4.sqrt(v), eps);
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(h, this.quotient(lr, d))));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {}
}
