/** The transpose of a matrix. */
import type { Arithmetic } from '../../math/arithmetic';
import { at, type ReferenceMemory } from '../../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** out[c][r] = x[r][c], with x of rows×cols. */
    transpose(out: number, x: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r)
        for (let c = 0; c < cols; ++c) f[at(out) + c * rows + r] = f[at(x) + r * cols + c]!;
    },
  };
}
