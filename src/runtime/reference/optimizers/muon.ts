/** Muon in plain TypeScript, element by element. The kernel is assembly/optimizers/muon.ts. */
import type { MuonKernel } from '../../../../build/optimizer-kernels';
import type { ReferenceKernel } from '../../kernels-optim';
import { average, blend, f, flushMomentum, gradient } from './float32-steps';

export const Muon: ReferenceKernel<keyof typeof MuonKernel.constants> = {
  update(x, i, { clip, l2, beta, c, a, b, delta }) {
    const h = gradient(x, i, clip, l2);
    const m = average(x.s0, i, beta, c, h);
    x.s1[i] = blend(a, h, b, m);
    x.p[i] = f(x.p[i] * delta);
  },
  flush: ({ s0 }, i) => flushMomentum(s0, i),
};
