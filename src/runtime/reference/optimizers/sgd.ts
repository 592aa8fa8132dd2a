/** SGD in plain TypeScript. The kernel is assembly/optimizers/sgd.ts. */
import type { SGDKernel, SGDMomentumKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, blend, decayAndMove, f, flushMomentum, gradient } from './float32-steps';

export const SGD: ReferenceKernel<keyof typeof SGDKernel.constants> = {
  update(x, i, { clip, l2, lr, delta }) {
    decayAndMove(x, i, delta, f(lr * gradient(x, i, clip, l2)));
  },
};

export const SGDMomentum: ReferenceKernel<keyof typeof SGDMomentumKernel.constants> = {
  update(x, i, { clip, l2, lr, delta, mu, c, a, b }) {
    const h = gradient(x, i, clip, l2);
    const m = average(x.s0, i, mu, c, h);
    decayAndMove(x, i, delta, f(lr * blend(a, h, b, m)));
  },
  flush: ({ s0 }, i) => flushMomentum(s0, i),
};
