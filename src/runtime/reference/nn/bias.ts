/** Biases of rows, and their gradient. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** x[r][c] = x[r][c] + bias[c] */
    biasAdd(x: number, bias: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let i = 0; i < rows * cols; ++i) f[at(x) + i]! += f[at(bias) + (i % cols)]!;
    },
    /** db[c] = Σ dy[r][c] in f64 over ascending r, rounded to f32 once. */
    biasGrad(db: number, dy: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let c = 0; c < cols; ++c) {
        let sum = 0;
        for (let r = 0; r < rows; ++r) sum += f[at(dy) + r * cols + c]!;
        f[at(db) + c] = sum;
      }
    },
  };
}
