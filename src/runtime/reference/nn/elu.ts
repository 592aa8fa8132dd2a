/** The exponential linear unit. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round, tanh }: Arithmetic) {
  return {
    /** out[i] = x[i] > 0 ? x[i] : alpha·(e^x[i] - 1), with alpha ≥ 0. out may be x. */
    elu(out: number, x: number, n: number, alpha: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        const v = f[at(x) + i]!;
        if (v > 0) return v;
        const t = tanh(round(v * 0.5));
        return round(alpha) * round(round(t + t) / round(1 - t));
      });
    },
    /**
     * dx[i] = out[i] > 0 ? dy[i] : dy[i]·(out[i] + alpha), where elu wrote `out`. dx may be dy or
     * out.
     */
    eluGrad(dx: number, dy: number, out: number, n: number, alpha: number): void {
      const f = memory.f32;
      const k = round(alpha);
      map(f, at(dx), n, (i) => {
        const y = f[at(out) + i]!;
        return y > 0 ? f[at(dy) + i]! : f[at(dy) + i]! * round(y + k);
      });
    },
  };
}
