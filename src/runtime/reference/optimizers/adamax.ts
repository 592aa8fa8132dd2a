/** AdaMax in plain TypeScript. The kernel is assembly/optimizers/adamax.ts. */
import type { AdamaxKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, decayAndMove, f, flushMoments, gradient, quotient } from './float32-steps';

export const Adamax: ReferenceKernel<keyof typeof AdamaxKernel.constants> = {
  update(x, i, { clip, l2, beta1, c1, beta2, k, eps, delta }) {
    const h = gradient(x, i, clip, l2);
    const m = average(x.s0, i, beta1, c1, h);
    const u = (x.s1[i] = Math.max(f(beta2 * x.s1[i]), f(Math.abs(h) + eps)));
    decayAndMove(x, i, delta, f(k * quotient(m, u)));
  },
  flush: flushMoments,
};
