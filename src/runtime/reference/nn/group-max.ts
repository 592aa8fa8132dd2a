/** The greatest of each group of adjacent elements. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /**
     * y[i] = the greatest of x[i·size], …, x[i·size + size - 1] (the first of equals; NaN if there
     * is one). `index` receives its place in the group (i32).
     */
    groupMax(y: number, index: number, x: number, n: number, size: number): void {
      const { f32: f, i32 } = memory;
      for (let i = 0; i < n; ++i) {
        const first = at(x) + i * size;
        let [best, place] = [f[first]!, 0];
        for (let k = 1; k < size; ++k) {
          const value = f[first + k]!;
          if (value > best || Number.isNaN(value)) [best, place] = [value, k];
        }
        f[at(y) + i] = best;
        i32[at(index) + i] = place;
      }
    },
    /** dx = dy where groupMax found each maximum, 0 elsewhere in the groups. */
    groupMaxGrad(dx: number, dy: number, index: number, n: number, size: number): void {
      const { f32: f, i32 } = memory;
      f.fill(0, at(dx), at(dx) + n * size);
      for (let i = 0; i < n; ++i) f[at(dx) + i * size + i32[at(index) + i]!] = f[at(dy) + i]!;
    },
  };
}
