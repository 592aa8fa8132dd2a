/** Adadelta (Zeiler 2012): steps in the unit of the weights, along the root of their own mean. */
import { AdadeltaConstants } from '../../build/assembly/kernel-constants';
import { flushVariance } from './flush';
import { Kernel } from './kernel';

@unmanaged
export class Adadelta extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next
  @inline
  apply(
    p: usize, g: usize, d: usize, v: usize,
    clip: v128, l2: v128, lr: v128, delta: v128, rho: v128, c: v128, eps: v128,
  ): void {
    const theta = v128.load(p);
    const h = this.gradient(g, theta, clip, l2);
    // v ← ρ·v + (1-ρ)·h²
    const second = this.average(v, rho, c, f32x4.mul(h, h));
    // u = h·(√(d + ε)/√(v + ε)). 8-bit codes have a sign, which no step sets: a file may.
    const moves = f32x4.abs(v128.load(d));
    const n = f32x4.sqrt(f32x4.add(moves, eps));
    const u = f32x4.mul(h, f32x4.div(n, f32x4.sqrt(f32x4.add(second, eps))));
    // d ← min(ρ·d + (1-ρ)·u², the largest float32)
    const mean = f32x4.add(f32x4.mul(rho, moves), f32x4.mul(c, f32x4.mul(u, u)));
    v128.store(d, f32x4.pmin(mean, f32x4.splat(3.4028234663852886e38)));
    // θ ← θ·δ - lr·u
    this.decayAndMove(p, theta, delta, f32x4.mul(lr, u));
  }

  @inline
  flush(p: usize, g: usize, d: usize, v: usize, length: usize, constants: usize): void {
    const k = changetype<AdadeltaConstants>(constants);
    const clip = f32x4.splat(k.clip);
    const l2 = f32x4.splat(k.l2);
    flushVariance(d, p, g, clip, l2, length);
    flushVariance(v, p, g, clip, l2, length);
  }
}
