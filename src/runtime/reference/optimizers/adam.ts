/** Adam in plain TypeScript. The kernel is assembly/optimizers/adam.ts. */
import type { AdamKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { decayAndMove, denominator, f, flushMoments, moments, quotient } from './float32-steps';

export const Adam: ReferenceKernel<keyof typeof AdamKernel.constants> = {
  update(x, i, constants) {
    const { k, s, eps, delta } = constants;
    const { m, v } = moments(x, i, constants);
    decayAndMove(x, i, delta, f(m * quotient(k, denominator(s, v, eps))));
  },
  flush: flushMoments,
};

/** The same: the reference guards every division. */
export const AdamZeroEps = Adam;
