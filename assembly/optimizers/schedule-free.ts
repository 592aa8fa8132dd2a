/**
 * Schedule-Free AdamW (Defazio et al. 2024). The parameter is the training point y; s0 is z. The
 * averaged point is x = (y - (1-β1)·z)/β1.
 */
import { TENSOR_CONSTANTS } from '../layout';
import { flushVariance } from './flush';
import { Rule } from './rule';

@unmanaged
export class ScheduleFree extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    r: v128, beta2: v128, c2: v128, s: v128, eps: v128, lr: v128,
    wd: v128, c: v128, k: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = r·g
    const h = f32x4.mul(r, v128.load(g));
    const y = v128.load(p);
    const z = v128.load(s0);
    // v ← β2·v + (1-β2)·h²
    const v = f32x4.add(f32x4.mul(beta2, v128.load(s1)), f32x4.mul(c2, f32x4.mul(h, h)));
    v128.store(s1, v);
    // u = h/(s·√v + ε) + wd·y, with 0 for h/0
    const d = f32x4.add(f32x4.mul(s, f32x4.sqrt(v)), eps);
    const u = f32x4.add(this.quotient(h, d), f32x4.mul(wd, y));
    // z ← z - lr·u
    v128.store(s0, f32x4.sub(z, f32x4.mul(lr, u)));
    // y ← y - c·(y - z) - k·u: with k = lr·(1-β1 + β1·c) this is (1-β1)·z' + β1·x', and exactly y
    // where nothing moves
    v128.store(p, f32x4.sub(f32x4.sub(y, f32x4.mul(c, f32x4.sub(y, z))), f32x4.mul(k, u)));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushVariance(s1, p, g, v128.load32_splat(tensor + TENSOR_CONSTANTS), f32x4.splat(0), length);
  }
}
