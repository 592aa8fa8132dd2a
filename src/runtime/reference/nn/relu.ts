/** The rectified linear unit. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** out[i] = x[i] < 0 ? 0 : x[i], so that NaN and -0 pass. out may be x. */
    relu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => (f[at(x) + i]! < 0 ? 0 : f[at(x) + i]!));
    },
    /** dx[i] = out[i] > 0 ? dy[i] : 0, where relu wrote `out`. dx may be dy or out. */
    reluGrad(dx: number, dy: number, out: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => (f[at(out) + i]! > 0 ? f[at(dy) + i]! : 0));
    },
  };
}
