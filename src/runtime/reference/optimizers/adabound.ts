/** AdaBound in plain TypeScript. The kernel is assembly/optimizers/adabound.ts. */
import type { AdaBoundKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { decayAndMove, f, flushMoments, moments } from './float32-steps';

export const AdaBound: ReferenceKernel<keyof typeof AdaBoundKernel.constants> = {
  update(x, i, constants) {
    const { k, eps, low, high, delta } = constants;
    const { m, v } = moments(x, i, constants);
    const d = f(f(Math.sqrt(v)) + eps);
    let rate = f(k / d);
    if (rate < low) rate = low;
    if (high < rate) rate = high;
    if (d === 0) rate = 0;
    decayAndMove(x, i, delta, f(m * rate));
  },
  flush: flushMoments,
};
