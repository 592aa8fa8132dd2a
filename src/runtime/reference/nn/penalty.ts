/** Penalties of weights, and factors of single samples. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * Returns Σ l1·|w| + l2·w² over n elements, an f64, and adds its gradient l1·sign(w) + 2·l2·w
     * to g unless g is 0; sign(0) is 0.
     */
    addPenalty(g: number, w: number, n: number, l1: number, l2: number): number {
      const f = memory.f32;
      let total = 0;
      for (let i = 0; i < n; ++i) {
        const value = f[at(w) + i]!;
        total += l1 * Math.abs(value) + l2 * (value * value);
        if (g === 0) continue;
        const sign = value > 0 ? 1 : value < 0 ? -1 : value;
        f[at(g) + i] = f[at(g) + i]! + (l1 * sign + 2 * l2 * value);
      }
      return total;
    },
    /** d[i] = d[i]·k, computed in f64, for the elements of one sample. */
    scaleSample(d: number, n: number, k: number): void {
      const f = memory.f32;
      for (let i = at(d); i < at(d) + n; ++i) f[i] = f[i]! * k;
    },
  };
}
