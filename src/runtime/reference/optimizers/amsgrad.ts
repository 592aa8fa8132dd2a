/** AMSGrad in plain TypeScript. The kernel is assembly/optimizers/amsgrad.ts. */
import type { AMSGradKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { decayAndMove, denominator, f, flushMoments, moments, quotient } from './float32-steps';

export const AMSGrad: ReferenceKernel<keyof typeof AMSGradKernel.constants> = {
  update(x, i, constants) {
    const { k, s, eps, delta } = constants;
    const { m, v } = moments(x, i, constants);
    const w = (x.s2[i] = x.s2[i] < v ? v : x.s2[i]);
    decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, w, eps))));
  },
  flush: flushMoments,
};
