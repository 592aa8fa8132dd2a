/** Lion (Chen et al. 2023): steps along the sign of an interpolated momentum. */
import { flushMomentum } from './flush';
import { Rule } from './rule';

@unmanaged
export class Lion extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    lr: v128, delta: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // c = β1·m + (1-β1)·h;  m ← β2·m + (1-β2)·h
    const m = v128.load(s0);
    const c = f32x4.add(f32x4.mul(beta1, m), f32x4.mul(c1, h));
    v128.store(s0, f32x4.add(f32x4.mul(beta2, m), f32x4.mul(c2, h)));
    // θ ← θ·δ - lr·sign(c), with sign(±0) = 0
    const zero = f32x4.splat(0);
    const signed = v128.or(v128.and(c, f32x4.splat(-0.0)), lr);
    const step = v128.and(signed, f32x4.ne(c, zero));
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), step));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMomentum(s0, length);
  }
}
