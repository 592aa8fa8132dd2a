/** Adam (Kingma & Ba 2015) and, with δ < 1, AdamW (Loshchilov & Hutter 2019). */
import { flushMoments } from './flush';
import { Division, GuardedQuotient, Kernel, Quotient } from './kernel';

@unmanaged
class AdamUpdate<D extends Division> extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    k: v128, s: v128, eps: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β1·m + (1-β1)·h;  v ← β2·v + (1-β2)·h²
    const first = this.nextAverage(m, beta1, c1, h);
    const second = this.nextAverage(v, beta2, c2, f32x4.mul(h, h));
    v128.store(m, first);
    v128.store(v, second);
    // θ ← θ·δ - m·(k/(s·√v + ε))
    const rate = changetype<D>(0).of(k, this.denominator(s, second, eps));
    this.decayAndMove(p, theta, delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }
}

@unmanaged
export class Adam extends AdamUpdate<Quotient> {}

/** With ε = 0. */
@unmanaged
export class AdamZeroEps extends AdamUpdate<GuardedQuotient> {}
