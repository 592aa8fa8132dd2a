/** Adagrad in plain TypeScript. The kernel is assembly/optimizers/adagrad.ts. */
import type { AdagradKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { decayAndMove, f, gradient, quotient } from './float32-steps';

const MAX_F32 = 3.4028234663852886e38;

export const Adagrad: ReferenceKernel<keyof typeof AdagradKernel.constants> = {
  update(x, i, { clip, l2, lr, delta, eps }) {
    const h = gradient(x, i, clip, l2);
    const v = (x.s0[i] = Math.min(f(x.s0[i] + f(h * h)), MAX_F32));
    decayAndMove(x, i, delta, f(h * quotient(lr, f(f(Math.sqrt(v)) + eps))));
  },
};

/** The same: the reference guards every division. */
export const AdagradZeroEps = Adagrad;
