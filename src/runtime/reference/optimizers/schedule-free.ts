/** Schedule-Free AdamW in plain TypeScript. The kernel is assembly/optimizers/schedule-free.ts. */
import type { ScheduleFreeKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, denominator, f, flushVariance, quotient } from './float32-steps';

export const ScheduleFree: ReferenceKernel<keyof typeof ScheduleFreeKernel.constants> = {
  update({ p, g, s0, s1 }, i, { clip, beta2, c2, s, eps, lr, wd, c, k }) {
    const h = f(clip * g[i]);
    const y = p[i];
    const z = s0[i];
    const v = average(s1, i, beta2, c2, f(h * h));
    const u = f(quotient(h, denominator(s, v, eps)) + f(wd * y));
    s0[i] = z - f(lr * u);
    p[i] = f(y - f(c * f(y - z))) - f(k * u);
  },
  flush: ({ s1, g }, i, { clip }) => flushVariance(s1, i, f(clip * g[i])),
};
