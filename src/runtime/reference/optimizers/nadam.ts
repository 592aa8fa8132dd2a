/** NAdam in plain TypeScript. The kernel is assembly/optimizers/nadam.ts. */
import type { NAdamKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { blend, decayAndMove, denominator, flushMoments, moments, quotient } from './float32-steps';

export const NAdam: ReferenceKernel<keyof typeof NAdamKernel.constants> = {
  update(x, i, constants) {
    const { kg, km, s, eps, delta } = constants;
    const { h, m, v } = moments(x, i, constants);
    decayAndMove(x, i, delta, quotient(blend(kg, h, km, m), denominator(s, v, eps)));
  },
  flush: flushMoments,
};
