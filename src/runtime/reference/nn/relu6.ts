/** The rectified linear unit that ends at 6. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** out[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i], so that NaN and -0 pass. out may be x. */
    relu6(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => {
        const v = f[at(x) + i]!;
        return v < 0 ? 0 : v > 6 ? 6 : v;
      });
    },
    /** dx[i] = 0 < out[i] < 6 ? dy[i] : 0, where relu6 wrote `out`. dx may be dy or out. */
    relu6Grad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const y = f[at(out) + i]!;
        return y > 0 && y < 6 ? f[at(dy) + i]! : 0;
      });
    },
  };
}
