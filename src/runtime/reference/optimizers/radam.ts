/** RAdam in plain TypeScript. The kernel is assembly/optimizers/radam.ts. */
import type { RAdamKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { decayAndMove, f, flushMoments, moments, quotient } from './float32-steps';

export const RAdam: ReferenceKernel<keyof typeof RAdamKernel.constants> = {
  update(x, i, constants) {
    const { ka, kb, eps, delta } = constants;
    const { m, v } = moments(x, i, constants);
    decayAndMove(x, i, delta, f(m * f(quotient(ka, f(f(Math.sqrt(v)) + eps)) + kb)));
  },
  flush: flushMoments,
};
