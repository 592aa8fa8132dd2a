/** Adadelta in plain TypeScript. The kernel is assembly/optimizers/adadelta.ts. */
import type { AdadeltaKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, blend, decayAndMove, f, flushVariance, gradient } from './float32-steps';

const LARGEST = f(3.4028234663852886e38);

export const Adadelta: ReferenceKernel<keyof typeof AdadeltaKernel.constants> = {
  update(x, i, { clip, l2, lr, delta, rho, c, eps }) {
    const h = gradient(x, i, clip, l2);
    const v = average(x.s1, i, rho, c, f(h * h));
    const d = Math.abs(x.s0[i]);
    const u = f(h * f(f(Math.sqrt(f(d + eps))) / f(Math.sqrt(f(v + eps)))));
    x.s0[i] = Math.min(blend(rho, d, c, f(u * u)), LARGEST);
    decayAndMove(x, i, delta, f(lr * u));
  },
  flush(x, i, { clip, l2 }) {
    const h = gradient(x, i, clip, l2);
    flushVariance(x.s0, i, h);
    flushVariance(x.s1, i, h);
  },
};
