/** AdaL in plain TypeScript. The kernel is assembly/optimizers/adal.ts. */

import type { GroupRecord, TensorRecord } from '../../../../build/optim-records';
import { AdaLKernel } from '../../../../build/optimizer-kernels';
import * as formulas from '../../../math/adal-scalars';
import { pow2 } from '../../../math/exponent';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, decayAndMove, f, flushMoments } from './float32-steps';

const K = AdaLKernel.constants;
const OWN = AdaLKernel.scalars;
const VALUES = AdaLKernel.values;
/** The least second moment that divides: the smallest normal float32. */
const FLOOR = 2 ** -126;

export const AdaL: ReferenceKernel<keyof typeof K> = {
  update(x, i, { q, c, cm, c1, cv, c2, k, keps, delta }) {
    const h = f(f(x.g[i] * q) * c);
    const m = average(x.s0, i, cm, c1, h);
    const v = average(x.s1, i, cv, c2, f(h * h));
    const rate = f(f(k / f(Math.sqrt(v < FLOOR ? FLOOR : v))) + keps);
    decayAndMove(x, i, delta, f(m * rate));
  },
  flush: flushMoments,
  prepare,
};

/** Does what the kernel's `prepare` does, in the same order. */
function prepare(tensor: TensorRecord, group: GroupRecord, own: number, total: number): boolean {
  const { f32, f64 } = tensor.memory;
  const value = (index: number) => f64[group.values + index];
  const now = (index: number) => f64[tensor.scalars + index];
  const setNext = (index: number, x: number) => {
    f64[tensor.nextScalars + index] = x;
  };
  const set = (index: number, x: number) => {
    f32[tensor.constants + index] = x;
  };
  const norm = value(VALUES.globalNorm) === 1 ? total : own;
  const ratio = value(VALUES.normRatio);
  const mean = now(OWN.normMean);
  const guard = ratio === 0 ? 1 : formulas.spikeFactor(ratio, mean, norm);
  setNext(OWN.normMean, ratio === 0 ? mean : formulas.nextNormMean(ratio, mean, norm));
  const a = value(VALUES.stepSize);
  const beta1 = value(VALUES.beta1);
  const beta2 = value(VALUES.beta2);
  const eps = value(VALUES.eps);
  const b1t = now(OWN.beta1Power) * beta1;
  const b2t = now(OWN.beta2Power) * beta2;
  const V = now(OWN.V);
  const e = now(OWN.exponent);
  const S = guard * norm;
  const Vn = formulas.nextV(V, S, beta2);
  const en = formulas.nextExponent(Vn, e);
  const d = V === 0 ? 0 : e - en;
  const { clip } = tensor;
  const q = formulas.gradientExponent(norm / clip);
  setNext(OWN.beta1Power, b1t);
  setNext(OWN.beta2Power, b2t);
  setNext(OWN.V, Vn);
  setNext(OWN.exponent, en);
  set(K.q, pow2(-q));
  set(K.c, formulas.gradientFactor(clip * guard, S, q, en));
  set(K.cm, formulas.momentDecay(beta1, d));
  set(K.c1, 1 - beta1);
  set(K.cv, formulas.varianceDecay(beta2, d));
  set(K.c2, 1 - beta2);
  set(K.k, formulas.stepFactor(a, b1t, b2t));
  set(K.keps, formulas.epsFactor(a, eps, en, b1t));
  set(K.delta, 1 - a * value(VALUES.weightDecay));
  if (eps === 0) return true;
  const bound = formulas.updateBound(beta1, beta2, b1t, b2t);
  return formulas.largestMove(a, bound, eps, Vn, b2t) < formulas.OVERFLOW_LIMIT;
}
