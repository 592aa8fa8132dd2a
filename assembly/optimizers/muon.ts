/**
 * Muon (Jordan et al. 2024), element by element: the momentum, the direction that
 * orthogonalize.ts makes a move of, and the decay of the weights.
 */
import { flushMomentum } from './flush';
import { Kernel } from './kernel';

@unmanaged
export class Muon extends Kernel {
  /** a and b choose the direction: 0 and 1 the momentum, 1-β and β its Nesterov form. */
  // biome-ignore format: addresses on one line, constants on the next; rate is for the move
  @inline
  apply(
    p: usize, g: usize, m: usize, u: usize,
    clip: v128, l2: v128, beta: v128, c: v128, a: v128, b: v128, delta: v128, rate: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← β·m + (1-β)·h;  u ← a·h + b·m;  θ ← θ·δ
    const momentum = this.average(m, beta, c, h);
    v128.store(u, f32x4.add(f32x4.mul(a, h), f32x4.mul(b, momentum)));
    v128.store(p, f32x4.mul(theta, delta));
  }

  @inline
  flush(p: usize, g: usize, m: usize, u: usize, length: usize, constants: usize): void {
    flushMomentum(m, length);
  }
}
