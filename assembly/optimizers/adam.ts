/** Adam (Kingma & Ba 2015) and, with δ < 1, AdamW (Loshchilov & Hutter 2019). */
import { flushMoments } from './flush';
import { Rule } from './rule';

/** Its two forms share one update. */
@unmanaged
class AdamForm extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  update(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128, k10: v128, k11: v128,
    zeroEps: bool,
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
    // θ ← θ·δ - m·(k/(s·√v + ε)), 0 where that divides by 0
    const d = f32x4.add(f32x4.mul(s, f32x4.sqrt(v)), eps);
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(m, this.quotientBeside(zeroEps, k, d))));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMoments(s0, s1, length);
  }
}

/** With ε > 0. */
@unmanaged
export class Adam extends AdamForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, beta1, c1, beta2, c2, k, s, eps, delta, k10, k11, false);
  }
}

/** With ε = 0. */
@unmanaged
export class AdamZeroEps extends AdamForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, beta1, c1, beta2, c2, k, s, eps, delta, k10, k11, true);
  }
}
