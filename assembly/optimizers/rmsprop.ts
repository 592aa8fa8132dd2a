/**
 * RMSProp (Tieleman & Hinton 2012): optionally centred, or with momentum. ε is added to the root
 * (eps) or under it (epsIn); the other of the two is 0, which changes no bit.
 */
import { RMSPropConstants } from '../../build/assembly/kernel-constants';
import { flushMomentum, flushVariance } from './flush';
import { Division, GuardedQuotient, Kernel, Quotient } from './kernel';

/** The second moment whose root divides; `a` is the address of the mean, where there is one. */
@unmanaged
abstract class SecondMoment {
  abstract about(v: v128, a: usize, alpha: v128, c: v128, h: v128): v128;
  /** Removes a mean that has decayed to nothing. */
  abstract flush(a: usize, length: usize): void;
}

@unmanaged
class AboutZero extends SecondMoment {
  @inline
  about(v: v128, a: usize, alpha: v128, c: v128, h: v128): v128 {
    return v;
  }

  @inline
  flush(a: usize, length: usize): void {}
}

/** a ← α·a + (1-α)·h;  w = max(v - a², 0). */
@unmanaged
class AboutMean extends SecondMoment {
  @inline
  about(v: v128, a: usize, alpha: v128, c: v128, h: v128): v128 {
    const mean = f32x4.add(f32x4.mul(alpha, v128.load(a)), f32x4.mul(c, h));
    v128.store(a, mean);
    return f32x4.pmax(f32x4.sub(v, f32x4.mul(mean, mean)), f32x4.splat(0));
  }

  @inline
  flush(a: usize, length: usize): void {
    flushMomentum(a, length);
  }
}

/** Operations that all forms share. */
@unmanaged
class RMSPropUpdate<M extends SecondMoment, D extends Division> extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  protected direction(
    theta: v128, g: usize, v: usize, a: usize,
    clip: v128, l2: v128, alpha: v128, c: v128, eps: v128, epsIn: v128,
  ): v128 {
    const h = this.gradient(g, theta, clip, l2);
    // v ← α·v + (1-α)·h²
    const second = this.average(v, alpha, c, f32x4.mul(h, h));
    const w = changetype<M>(0).about(second, a, alpha, c, h);
    // u = h/(√(w + epsIn) + eps)
    return changetype<D>(0).of(h, f32x4.add(f32x4.sqrt(f32x4.add(w, epsIn)), eps));
  }

  @inline
  protected clean(p: usize, g: usize, v: usize, a: usize, length: usize, constants: usize): void {
    const k = changetype<RMSPropConstants>(constants);
    flushVariance(v, p, g, f32x4.splat(k.clip), f32x4.splat(k.l2), length);
    changetype<M>(0).flush(a, length);
  }
}

@unmanaged
class RMSPropPlain<D extends Division> extends RMSPropUpdate<AboutZero, D> {
  @inline
  apply(
    p: usize,
    g: usize,
    v: usize,
    clip: v128,
    l2: v128,
    lr: v128,
    delta: v128,
    alpha: v128,
    c: v128,
    eps: v128,
    epsIn: v128,
  ): void {
    const theta = v128.load(p);
    const u = this.direction(theta, g, v, 0, clip, l2, alpha, c, eps, epsIn);
    // θ ← θ·δ - lr·u
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, u));
  }

  @inline
  flush(p: usize, g: usize, v: usize, length: usize, constants: usize): void {
    this.clean(p, g, v, 0, length, constants);
  }
}

@unmanaged
export class RMSProp extends RMSPropPlain<Quotient> {}

/** With ε = 0, which the other forms allow too. */
@unmanaged
export class RMSPropZeroEps extends RMSPropPlain<GuardedQuotient> {}

@unmanaged
export class RMSPropCentered extends RMSPropUpdate<AboutMean, GuardedQuotient> {
  @inline
  apply(
    p: usize,
    g: usize,
    v: usize,
    a: usize,
    clip: v128,
    l2: v128,
    lr: v128,
    delta: v128,
    alpha: v128,
    c: v128,
    eps: v128,
    epsIn: v128,
  ): void {
    const theta = v128.load(p);
    const u = this.direction(theta, g, v, a, clip, l2, alpha, c, eps, epsIn);
    // θ ← θ·δ - lr·u
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, u));
  }

  @inline
  flush(p: usize, g: usize, v: usize, a: usize, length: usize, constants: usize): void {
    this.clean(p, g, v, a, length, constants);
  }
}

/** The forms with momentum. */
@unmanaged
class RMSPropWithMomentum<M extends SecondMoment> extends RMSPropUpdate<M, GuardedQuotient> {
  @inline
  protected move(p: usize, m: usize, theta: v128, u: v128, lr: v128, delta: v128, mu: v128): void {
    // m ← μ·m + u
    const momentum = f32x4.add(f32x4.mul(mu, v128.load(m)), u);
    v128.store(m, momentum);
    // θ ← θ·δ - lr·m
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, momentum));
  }
}

@unmanaged
export class RMSPropMomentum extends RMSPropWithMomentum<AboutZero> {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, v: usize, m: usize,
    clip: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128, eps: v128,
    epsIn: v128, mu: v128,
  ): void {
    const theta = v128.load(p);
    const u = this.direction(theta, g, v, 0, clip, l2, alpha, c, eps, epsIn);
    this.move(p, m, theta, u, lr, delta, mu);
  }

  @inline
  flush(p: usize, g: usize, v: usize, m: usize, length: usize, constants: usize): void {
    this.clean(p, g, v, 0, length, constants);
    flushMomentum(m, length);
  }
}

@unmanaged
export class RMSPropCenteredMomentum extends RMSPropWithMomentum<AboutMean> {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, v: usize, m: usize, a: usize,
    clip: v128, l2: v128, lr: v128, delta: v128, alpha: v128, c: v128, eps: v128,
    epsIn: v128, mu: v128,
  ): void {
    const theta = v128.load(p);
    const u = this.direction(theta, g, v, a, clip, l2, alpha, c, eps, epsIn);
    this.move(p, m, theta, u, lr, delta, mu);
  }

  @inline
  flush(p: usize, g: usize, v: usize, m: usize, a: usize, length: usize, constants: usize): void {
    this.clean(p, g, v, a, length, constants);
    flushMomentum(m, length);
  }
}
