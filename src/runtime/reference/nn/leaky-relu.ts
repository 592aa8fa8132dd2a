/** The leaky rectified linear unit. */
import type { Arithmetic } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /** out[i] = x[i] < 0 ? slope·x[i] : x[i], with slope ≥ 0. out may be x. */
    leakyRelu(out: number, x: number, n: number, slope: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => (f[at(x) + i]! < 0 ? f[at(x) + i]! * round(slope) : f[at(x) + i]!));
    },
    /**
     * dx[i] = out[i] > 0 ? dy[i] : slope·dy[i], where leakyRelu wrote `out`. dx may be dy or out.
     */
    leakyReluGrad(dx: number, dy: number, out: number, n: number, slope: number): void {
      const f = memory.f32;
      const k = round(slope);
      map(f, at(dx), n, (i) => (f[at(out) + i]! > 0 ? f[at(dy) + i]! : f[at(dy) + i]! * k));
    },
  };
}
