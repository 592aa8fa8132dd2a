/** Adagrad (Duchi et al. 2011). */
import { Rule } from './rule';

/** Its two forms share one update. */
@unmanaged
class AdagradForm extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  update(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, eps: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
    zeroEps: bool,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // v ← min(v + h², the largest float32)
    const v = f32x4.pmin(f32x4.add(v128.load(s0), f32x4.mul(h, h)), f32x4.splat(3.4028234663852886e38));
    v128.store(s0, v);
    // θ ← θ·δ - h·(lr/(√v + ε)), 0 where that divides by 0
    const d = f32x4.add(f32x4.sqrt(v), eps);
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(h, this.quotientBeside(zeroEps, lr, d))));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {}
}

/** With ε > 0. */
@unmanaged
export class Adagrad extends AdagradForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, eps: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, eps, k5, k6, k7, k8, k9, k10, k11, false);
  }
}

/** With ε = 0. */
@unmanaged
export class AdagradZeroEps extends AdagradForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, eps: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, eps, k5, k6, k7, k8, k9, k10, k11, true);
  }
}
