/** RMSProp in plain TypeScript. The kernel is assembly/optimizers/rmsprop.ts. */
import type { RMSPropMomentumKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import {
  average,
  decayAndMove,
  f,
  flushMomentum,
  flushVariance,
  gradient,
  quotient,
} from './float32-steps';

function referenceOf(
  momentum: boolean,
  centered: boolean,
): ReferenceKernel<keyof typeof RMSPropMomentumKernel.constants> {
  return {
    update(x, i, { clip, l2, lr, delta, alpha, c, eps, epsIn, mu }) {
      const h = gradient(x, i, clip, l2);
      const v = average(x.s0, i, alpha, c, f(h * h));
      let w = v;
      if (centered) {
        const a = average(momentum ? x.s2 : x.s1, i, alpha, c, h);
        w = f(v - f(a * a));
        if (w < 0) w = 0;
      }
      let u = quotient(h, f(f(Math.sqrt(f(w + epsIn))) + eps));
      if (momentum) u = x.s1[i] = f(f(mu * x.s1[i]) + u);
      decayAndMove(x, i, delta, f(lr * u));
    },
    flush(x, i, { clip, l2 }) {
      flushVariance(x.s0, i, gradient(x, i, clip, l2));
      if (momentum || centered) flushMomentum(x.s1, i);
      if (momentum && centered) flushMomentum(x.s2, i);
    },
  };
}

export const RMSProp = referenceOf(false, false);
/** The same: the reference guards every division. */
export const RMSPropZeroEps = RMSProp;
export const RMSPropMomentum = referenceOf(true, false);
export const RMSPropCentered = referenceOf(false, true);
export const RMSPropCenteredMomentum = referenceOf(true, true);
