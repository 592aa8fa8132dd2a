/** Adagrad (Duchi et al. 2011). */
import { Division, GuardedQuotient, Kernel, Quotient } from './kernel';

@unmanaged
class AdagradUpdate<D extends Division> extends Kernel {
  @inline
  apply(
    p: usize,
    g: usize,
    v: usize,
    clip: v128,
    l2: v128,
    lr: v128,
    delta: v128,
    eps: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // v ← min(v + h², the largest float32)
    const sum = f32x4.pmin(
      f32x4.add(v128.load(v), f32x4.mul(h, h)),
      f32x4.splat(3.4028234663852886e38),
    );
    v128.store(v, sum);
    // θ ← θ·δ - h·(lr/(√v + ε))
    const rate = changetype<D>(0).of(lr, f32x4.add(f32x4.sqrt(sum), eps));
    this.decayAndMove(p, theta, delta, f32x4.mul(h, rate));
  }
}

@unmanaged
export class Adagrad extends AdagradUpdate<Quotient> {}

/** With ε = 0. */
@unmanaged
export class AdagradZeroEps extends AdagradUpdate<GuardedQuotient> {}
