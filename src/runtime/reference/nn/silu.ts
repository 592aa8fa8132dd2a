/** The sigmoid linear unit. */
import { type Arithmetic, sigmoid } from '../math/arithmetic';
import { at, map, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const { round } = arithmetic;
  return {
    /** out[i] = x[i]·σ(x[i]). out may be x. */
    silu(out: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(out), n, (i) => f[at(x) + i]! * sigmoid(f[at(x) + i]!, arithmetic));
    },
    /** dx[i] = dy[i]·(σ·(1 + x[i]·(1 - σ))), where silu read `x`. dx may be dy or x. */
    siluGrad(dx: number, dy: number, x: number, n: number): void {
      const f = memory.f32;
      map(f, at(dx), n, (i) => {
        const v = f[at(x) + i]!;
        const sigma = sigmoid(v, arithmetic);
        return f[at(dy) + i]! * round(sigma * round(1 + round(v * round(1 - sigma))));
      });
    },
  };
}
