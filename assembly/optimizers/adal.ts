/**
 * AdaL as restated (Zhang et al. 2021, arXiv 2107.01525), in its scaled form: gradients are
 * amplified by their L1 norm, then averaged as in Adam. Its constants are computed once a tensor
 * and step, by the formulas shared with the oracle.
 */

import { pow2 } from '../../src/math/exponent';
import {
  epsFactor,
  gradientExponent,
  gradientFactor,
  largestMove,
  momentDecay,
  nextExponent,
  nextV,
  OVERFLOW_LIMIT,
  stepFactor,
  updateBound,
  varianceDecay,
} from '../../src/memory-layout/adal-scalars';
import {
  GROUP_BETA1,
  GROUP_BETA2,
  GROUP_EPS,
  GROUP_STEP_SIZE,
  GROUP_WEIGHT_DECAY,
  TENSOR_BETA1_POWER,
  TENSOR_BETA2_POWER,
  TENSOR_CONSTANTS,
  TENSOR_EXPONENT,
  TENSOR_GROUP,
  TENSOR_NEXT_EXPONENT,
  TENSOR_NEXT_V,
  TENSOR_V,
} from '../layout';
import { flushMoments } from './flush';
import { Rule } from './rule';

@unmanaged
export class AdaL extends Rule {
  // biome-ignore format: addresses on one line, constants on the next two
  @inline
  apply(
    p: usize, g: usize, s0: usize, s1: usize, s2: usize,
    q: v128, c: v128, cm: v128, c1: v128, cv: v128, c2: v128,
    k: v128, keps: v128, delta: v128, k9: v128, k10: v128, k11: v128,
  ): void {
    // h = (g·2^-q)·c
    const h = f32x4.mul(f32x4.mul(v128.load(g), q), c);
    // m ← cm·m + c1·h
    const m = f32x4.add(f32x4.mul(cm, v128.load(s0)), f32x4.mul(c1, h));
    // v ← cv·v + c2·h²
    const v = f32x4.add(f32x4.mul(cv, v128.load(s1)), f32x4.mul(c2, f32x4.mul(h, h)));
    v128.store(s0, m);
    v128.store(s1, v);
    // θ ← θ·δ - m·(k/√max(v, 2^-126) + kε)
    const floor = f32x4.splat(1.1754943508222875e-38);
    const r = f32x4.add(f32x4.div(k, f32x4.sqrt(f32x4.pmax(v, floor))), keps);
    v128.store(p, f32x4.sub(f32x4.mul(v128.load(p), delta), f32x4.mul(m, r)));
  }

  @inline
  flush(tensor: usize, p: usize, g: usize, s0: usize, s1: usize, s2: usize, length: usize): void {
    flushMoments(s0, s1, length);
  }
}

/**
 * Writes the constants of the tensor's next update. `norm` is the gradient norm of its scope,
 * clipped, clip the factor that made it so, and guard the spike guard's: S = guard·norm. Nothing
 * else changes yet. False: the update could overflow the weights, so the whole step is refused.
 */
export function prepareAdaL(tensor: usize, norm: f64, clip: f64, guard: f64): bool {
  const group: usize = load<u32>(tensor, TENSOR_GROUP);
  const a = load<f64>(group, GROUP_STEP_SIZE);
  const beta1 = load<f64>(group, GROUP_BETA1);
  const beta2 = load<f64>(group, GROUP_BETA2);
  const eps = load<f64>(group, GROUP_EPS);
  const b1t = load<f64>(tensor, TENSOR_BETA1_POWER) * beta1;
  const b2t = load<f64>(tensor, TENSOR_BETA2_POWER) * beta2;
  const V = load<f64>(tensor, TENSOR_V);
  const e = <f64>load<i32>(tensor, TENSOR_EXPONENT);
  const S = guard * norm;
  const Vn = nextV(V, S, beta2);
  const en = nextExponent(Vn, e);
  const d = V === 0.0 ? 0.0 : e - en;
  // The gradient itself is as long as it was.
  const q = gradientExponent(norm / clip);
  store<f64>(tensor, Vn, TENSOR_NEXT_V);
  store<i32>(tensor, <i32>en, TENSOR_NEXT_EXPONENT);
  const constants = tensor + TENSOR_CONSTANTS;
  store<f32>(constants, <f32>pow2(-q), 0);
  store<f32>(constants, <f32>gradientFactor(clip * guard, S, q, en), 4);
  store<f32>(constants, <f32>momentDecay(beta1, d), 8);
  store<f32>(constants, <f32>(1.0 - beta1), 12);
  store<f32>(constants, <f32>varianceDecay(beta2, d), 16);
  store<f32>(constants, <f32>(1.0 - beta2), 20);
  store<f32>(constants, <f32>stepFactor(a, b1t, b2t), 24);
  store<f32>(constants, <f32>epsFactor(a, eps, en, b1t), 28);
  store<f32>(constants, <f32>(1.0 - a * load<f64>(group, GROUP_WEIGHT_DECAY)), 32);
  return (
    eps === 0.0 ||
    largestMove(a, updateBound(beta1, beta2, b1t, b2t), eps, Vn, b2t) < OVERFLOW_LIMIT
  );
}
