/** The logistic function. */
import { type Arithmetic, sigmoid } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const { round } = arithmetic;
  return {
    /** out[i] = 1/(1 + e^-x[i]), to 3 ulp, 0 below -87.33654; NaN passes. out may be x. */
    sigmoid(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => sigmoid(f[at(x) + i]!, arithmetic));
    },
    /** dx[i] = dy[i]·(out[i]·(1 - out[i])), where sigmoid wrote `out`. dx may be dy or out. */
    sigmoidGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const y = f[at(out) + i]!;
        return f[at(dy) + i]! * round(y * round(1 - y));
      });
    },
  };
}
