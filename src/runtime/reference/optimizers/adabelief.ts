/** AdaBelief in plain TypeScript. The kernel is assembly/optimizers/adabelief.ts. */
import type { AdaBeliefKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import {
  average,
  blend,
  decayAndMove,
  denominator,
  f,
  flushMoments,
  gradient,
  quotient,
} from './float32-steps';

export const AdaBelief: ReferenceKernel<keyof typeof AdaBeliefKernel.constants> = {
  update(x, i, { clip, l2, beta1, c1, beta2, c2, k, s, eps, delta }) {
    const h = gradient(x, i, clip, l2);
    const m = average(x.s0, i, beta1, c1, h);
    const b = f(h - m);
    const v = (x.s1[i] = f(blend(beta2, x.s1[i], c2, f(b * b)) + eps));
    decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, v, eps))));
  },
  flush: flushMoments,
};
