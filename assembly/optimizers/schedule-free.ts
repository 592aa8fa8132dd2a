/**
 * Schedule-Free AdamW (Defazio et al. 2024). The parameter is the training point y; the averaged
 * point is x = (y - (1-β1)·z)/β1.
 */
import { ScheduleFreeConstants } from '../../build/assembly/kernel-constants';
import { flushVariance } from './flush';
import { GuardedQuotient, Kernel } from './kernel';

@unmanaged
export class ScheduleFree extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, z: usize, v: usize,
    clip: v128, beta2: v128, c2: v128, s: v128, eps: v128, lr: v128,
    wd: v128, c: v128, k: v128,
  ): void {
    const h = f32x4.mul(clip, v128.load(g));
    const y = v128.load(p);
    const iterate = v128.load(z);
    // v ← β2·v + (1-β2)·h²
    const second = this.average(v, beta2, c2, f32x4.mul(h, h));
    // u = h/(s·√v + ε) + wd·y, with 0 for h/0
    const quotient = changetype<GuardedQuotient>(0).of(h, this.denominator(s, second, eps));
    const u = f32x4.add(quotient, f32x4.mul(wd, y));
    // z ← z - lr·u
    v128.store(z, f32x4.sub(iterate, f32x4.mul(lr, u)));
    // y ← y - c·(y - z) - k·u: with k = lr·(1-β1 + β1·c) this is (1-β1)·z' + β1·x', and exactly y
    // where nothing moves
    const towards = f32x4.sub(y, f32x4.mul(c, f32x4.sub(y, iterate)));
    v128.store(p, f32x4.sub(towards, f32x4.mul(k, u)));
  }

  @inline
  flush(p: usize, g: usize, z: usize, v: usize, length: usize, constants: usize): void {
    const clip = changetype<ScheduleFreeConstants>(constants).clip;
    flushVariance(v, p, g, f32x4.splat(clip), f32x4.splat(0), length);
  }
}
