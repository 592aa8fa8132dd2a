/** The hyperbolic tangent. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round, tanh }: Arithmetic) {
  return {
    /** out[i] = tanh x[i], to 3 ulp; NaN passes, ±0 stays. out may be x. */
    tanh(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => tanh(f[at(x) + i]!));
    },
    /** dx[i] = dy[i]·(1 - out[i]²), where tanh wrote `out`. dx may be dy or out. */
    tanhGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const y = f[at(out) + i]!;
        return f[at(dy) + i]! * round(1 - round(y * y));
      });
    },
  };
}
