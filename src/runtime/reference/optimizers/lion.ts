/** Lion in plain TypeScript. The kernel is assembly/optimizers/lion.ts. */
import type { LionKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, blend, decayAndMove, flushMomentum, gradient } from './float32-steps';

export const Lion: ReferenceKernel<keyof typeof LionKernel.constants> = {
  update(x, i, { clip, l2, beta1, c1, beta2, c2, lr, delta }) {
    const h = gradient(x, i, clip, l2);
    const c = blend(beta1, x.s0[i], c1, h);
    average(x.s0, i, beta2, c2, h);
    decayAndMove(x, i, delta, c === 0 ? 0 : c < 0 ? -lr : lr);
  },
  flush: ({ s0 }, i) => flushMomentum(s0, i),
};
