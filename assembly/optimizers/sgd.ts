/**
 * Stochastic gradient descent, without momentum and with it (Polyak 1964; Nesterov in the form of
 * Sutskever et al. 2013).
 */
import { flushMomentum } from './flush';
import { Kernel } from './kernel';

@unmanaged
export class SGD extends Kernel {
  @inline
  apply(p: usize, g: usize, clip: v128, l2: v128, lr: v128, delta: v128): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // θ ← θ·δ - lr·h
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, h));
  }
}

/** a and b choose the direction: 0 and 1 the momentum, 1 and μ its Nesterov form. */
@unmanaged
export class SGDMomentum extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next
  @inline
  apply(
    p: usize, g: usize, m: usize,
    clip: v128, l2: v128, lr: v128, delta: v128, mu: v128, c: v128, a: v128, b: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // m ← μ·m + c·h
    const momentum = this.average(m, mu, c, h);
    // θ ← θ·δ - lr·(a·h + b·m)
    const d = f32x4.add(f32x4.mul(a, h), f32x4.mul(b, momentum));
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, d));
  }

  @inline
  flush(p: usize, g: usize, m: usize, length: usize, constants: usize): void {
    flushMomentum(m, length);
  }
}
