/** Lion (Chen et al. 2023): steps along the sign of an interpolated momentum. */
import { flushMomentum } from './flush';
import { Kernel } from './kernel';

@unmanaged
export class Lion extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize,
    clip: v128, l2: v128, beta1: v128, c1: v128, beta2: v128, c2: v128,
    lr: v128, delta: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // c = β1·m + (1-β1)·h;  m ← β2·m + (1-β2)·h
    const c = f32x4.add(f32x4.mul(beta1, v128.load(m)), f32x4.mul(c1, h));
    this.average(m, beta2, c2, h);
    // θ ← θ·δ - lr·sign(c), with sign(±0) = 0
    const signed = v128.or(v128.and(c, f32x4.splat(-0.0)), lr);
    const step = v128.and(signed, f32x4.ne(c, f32x4.splat(0)));
    this.decayAndMove(p, theta, delta, step);
  }

  @inline
  flush(p: usize, g: usize, m: usize, length: usize, constants: usize): void {
    flushMomentum(m, length);
  }
}
