/**
 * Stochastic gradient descent, without momentum and with it (Polyak 1964; Nesterov in the form of
 * Sutskever et al. 2013).
 */
import { flushMomentum } from './flush';
import { Rule } from './rule';

@unmanaged
export class SGD extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, k4: v128, k5: v128,
    k6: v128, k7: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // θ ← θ·δ - lr·h
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(lr, h)));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {}
}

/** a and b choose what is stepped along: 0 and 1 the momentum, 1 and μ its Nesterov form. */
@unmanaged
export class SGDMomentum extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, mu: v128, c: v128,
    a: v128, b: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // m ← μ·m + c·h
    const m = f32x4.add(f32x4.mul(mu, v128.load(s0)), f32x4.mul(c, h));
    v128.store(s0, m);
    // θ ← θ·δ - lr·(a·h + b·m)
    const d = f32x4.add(f32x4.mul(a, h), f32x4.mul(b, m));
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(lr, d)));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMomentum(s0, length);
  }
}
