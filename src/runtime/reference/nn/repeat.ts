/** Repetition of rows. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, _arithmetic: Arithmetic) {
  return {
    /** y[r][t][c] = x[r][c] for t < times; rows are dense. */
    repeatRows(y: number, x: number, rows: number, times: number, cols: number): void {
      const f = memory.f32;
      for (let i = 0; i < rows * times * cols; ++i) {
        const r = Math.floor(i / (times * cols));
        f[at(y) + i] = f[at(x) + r * cols + (i % cols)]!;
      }
    },
    /** dx[r][c] = Σ dy[r][t][c] in f64 over ascending t, rounded to f32 once. */
    repeatRowsGrad(dx: number, dy: number, rows: number, times: number, cols: number): void {
      const f = memory.f32;
      for (let i = 0; i < rows * cols; ++i) {
        const first = at(dy) + Math.floor(i / cols) * times * cols + (i % cols);
        let sum = 0;
        for (let t = 0; t < times; ++t) sum += f[first + t * cols]!;
        f[at(dx) + i] = sum;
      }
    },
  };
}
