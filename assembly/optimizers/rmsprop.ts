/**
 * RMSProp (Tieleman & Hinton 2012) as PyTorch has it: optionally centred, optionally with momentum.
 */
import { TENSOR_CONSTANTS } from '../layout';
import { flushMomentum, flushVariance } from './flush';
import { Rule } from './rule';

/** Its four forms share one update; what a form does not need folds away. */
@unmanaged
class RMSPropForm extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  update(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128,
    momentum: bool, centered: bool, zeroEps: bool,
  ): void {
    // h = r·g + l2·θ
    const theta = v128.load(p);
    const h = f32x4.add(f32x4.mul(r, v128.load(g)), f32x4.mul(l2, theta));
    // v ← α·v + (1-α)·h²
    const v = f32x4.add(f32x4.mul(alpha, v128.load(s0)), f32x4.mul(c, f32x4.mul(h, h)));
    v128.store(s0, v);
    let w = v;
    if (centered) {
      // a ← α·a + (1-α)·h;  w = max(v - a², 0)
      const mean = momentum ? s2 : s1;
      const a = f32x4.add(f32x4.mul(alpha, v128.load(mean)), f32x4.mul(c, h));
      v128.store(mean, a);
      w = f32x4.pmax(f32x4.sub(v, f32x4.mul(a, a)), f32x4.splat(0));
    }
    // u = h/(√w + ε), 0 where that divides by 0
    let u = this.quotientBeside(zeroEps, h, f32x4.add(f32x4.sqrt(w), eps));
    if (momentum) {
      // m ← μ·m + u
      u = f32x4.add(f32x4.mul(mu, v128.load(s1)), u);
      v128.store(s1, u);
    }
    // θ ← θ·δ - lr·(u or m)
    v128.store(p, f32x4.sub(f32x4.mul(theta, delta), f32x4.mul(lr, u)));
  }

  @inline
  clean(
    tensor: usize,
    p: usize,
    g: usize,
    s0: usize,
    s1: usize,
    s2: usize,
    length: usize,
    momentum: bool,
    centered: bool,
  ): void {
    const constants = tensor + TENSOR_CONSTANTS;
    flushVariance(s0, p, g, v128.load32_splat(constants), v128.load32_splat(constants, 4), length);
    if (momentum) flushMomentum(s1, length);
    if (centered) flushMomentum(momentum ? s2 : s1, length);
  }
}

/** With ε > 0. */
@unmanaged
export class RMSProp extends RMSPropForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, alpha, c, eps, mu, false, false, false);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    this.clean(tensor, p, g, s0, s1, s2, length, false, false);
  }
}

/** With ε = 0, which the others leave open. */
@unmanaged
export class RMSPropZeroEps extends RMSPropForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, alpha, c, eps, mu, false, false, true);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    this.clean(tensor, p, g, s0, s1, s2, length, false, false);
  }
}

@unmanaged
export class RMSPropMomentum extends RMSPropForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, alpha, c, eps, mu, true, false, true);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    this.clean(tensor, p, g, s0, s1, s2, length, true, false);
  }
}

@unmanaged
export class RMSPropCentered extends RMSPropForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, alpha, c, eps, mu, false, true, true);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    this.clean(tensor, p, g, s0, s1, s2, length, false, true);
  }
}

@unmanaged
export class RMSPropCenteredMomentum extends RMSPropForm {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128,
    eps: v128, mu: v128, k8: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    this.update(p, g, s0, s1, s2, r, l2, lr, delta, alpha, c, eps, mu, true, true, true);
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    this.clean(tensor, p, g, s0, s1, s2, length, true, true);
  }
}
