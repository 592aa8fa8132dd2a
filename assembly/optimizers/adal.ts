/**
 * AdaL as restated (Zhang et al. 2021, arXiv 2107.01525), in its scaled form: gradients are
 * amplified by their L1 norm, then averaged as in Adam. Its constants are computed once a tensor
 * and step, by the formulas that it shares with the reference.
 */
import { AdaLConstants } from '../../build/assembly/kernel-constants';
import { GroupRecord, TensorRecord } from '../../build/assembly/optim-records';
import {
  epsFactor,
  gradientExponent,
  gradientFactor,
  largestMove,
  momentDecay,
  nextExponent,
  nextNormMean,
  nextV,
  OVERFLOW_LIMIT,
  spikeFactor,
  stepFactor,
  updateBound,
  varianceDecay,
} from '../../src/math/adal-scalars';
import { pow2 } from '../../src/math/exponent';
import { flushMoments } from './flush';
import { Kernel } from './kernel';

/** The scalars that a tensor keeps between steps; only accepted steps change them. */
@unmanaged
export class AdaLScalars {
  /** e: m = m'·2^e, v = v'·2^(2e). */
  exponent: f64;
  /** The running mean of S⁴. */
  V: f64;
  /** β1^t and β2^t, by repeated product. */
  beta1Power: f64;
  beta2Power: f64;
  /** A, the running mean of S that the spike guard keeps; 0 without it. */
  normMean: f64;
}

/** The values of the tensor's group. */
@unmanaged
export class AdaLValues {
  /** a: the learning rate, with the built-in decay folded in. */
  stepSize: f64;
  beta1: f64;
  beta2: f64;
  eps: f64;
  weightDecay: f64;
  /** S counts as at most this times A; 0 sets no bound. */
  normRatio: f64;
  /** Whether the tensor is scaled by the norm over all tensors (1), or by its own (0). */
  globalNorm: f64;
}

@unmanaged
export class AdaL extends Kernel {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, m: usize, v: usize,
    q: v128, c: v128, cm: v128, c1: v128, cv: v128, c2: v128,
    k: v128, keps: v128, delta: v128,
  ): void {
    // h = (g·2^-q)·c
    const h = f32x4.mul(f32x4.mul(v128.load(g), q), c);
    // m ← cm·m + c1·h;  v ← cv·v + c2·h²
    const first = this.nextAverage(m, cm, c1, h);
    const second = this.nextAverage(v, cv, c2, f32x4.mul(h, h));
    v128.store(m, first);
    v128.store(v, second);
    // θ ← θ·δ - m·(k/√max(v, 2^-126) + kε)
    const root = f32x4.sqrt(f32x4.pmax(second, f32x4.splat(1.1754943508222875e-38)));
    const rate = f32x4.add(f32x4.div(k, root), keps);
    this.decayAndMove(p, v128.load(p), delta, f32x4.mul(first, rate));
  }

  @inline
  flush(p: usize, g: usize, m: usize, v: usize, length: usize, constants: usize): void {
    flushMoments(m, v, length);
  }

  /**
   * Writes the constants of the tensor's next update, and its next scalars. `own` and `total` are
   * Σ|g| of the tensor and of all, clipped. Returns false where the update could overflow the
   * weights: the whole step is refused.
   */
  prepare(tensor: TensorRecord, group: GroupRecord, own: f64, total: f64): bool {
    const values = changetype<AdaLValues>(group.values);
    const now = changetype<AdaLScalars>(tensor.scalars);
    const next = changetype<AdaLScalars>(tensor.nextScalars);
    const norm = values.globalNorm ? total : own;
    const ratio = values.normRatio;
    const guard = ratio ? spikeFactor(ratio, now.normMean, norm) : 1.0;
    next.normMean = ratio ? nextNormMean(ratio, now.normMean, norm) : now.normMean;
    const a = values.stepSize;
    const beta1 = values.beta1;
    const beta2 = values.beta2;
    const eps = values.eps;
    const b1t = now.beta1Power * beta1;
    const b2t = now.beta2Power * beta2;
    const S = guard * norm;
    const Vn = nextV(now.V, S, beta2);
    const en = nextExponent(Vn, now.exponent);
    const d = now.V === 0.0 ? 0.0 : now.exponent - en;
    const clip = tensor.clip;
    // The gradient itself is as long as it was.
    const q = gradientExponent(norm / clip);
    next.beta1Power = b1t;
    next.beta2Power = b2t;
    next.V = Vn;
    next.exponent = en;
    const constants = changetype<AdaLConstants>(tensor.constants);
    constants.q = <f32>pow2(-q);
    constants.c = <f32>gradientFactor(clip * guard, S, q, en);
    constants.cm = <f32>momentDecay(beta1, d);
    constants.c1 = <f32>(1.0 - beta1);
    constants.cv = <f32>varianceDecay(beta2, d);
    constants.c2 = <f32>(1.0 - beta2);
    constants.k = <f32>stepFactor(a, b1t, b2t);
    constants.keps = <f32>epsFactor(a, eps, en, b1t);
    constants.delta = <f32>(1.0 - a * values.weightDecay);
    if (eps === 0.0) return true;
    const bound = updateBound(beta1, beta2, b1t, b2t);
    return largestMove(a, bound, eps, Vn, b2t) < OVERFLOW_LIMIT;
  }
}
