/** Softmax over rows. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';

export function kernels(memory: ReferenceMemory, { round, exp }: Arithmetic) {
  const row = (address: number, r: number, cols: number) =>
    memory.f32.subarray(at(address) + r * cols, at(address) + (r + 1) * cols);
  return {
    /**
     * y[r][j] = e^x[r][j]/Σ over the row. A row with NaN or +Infinity becomes NaN. y may be x; rows
     * are dense.
     */
    softmax(y: number, x: number, rows: number, cols: number): void {
      for (let r = 0; r < rows; ++r) {
        const [out, logits] = [row(y, r, cols), row(x, r, cols)];
        let largest = logits[0]!;
        for (const value of logits) if (value > largest) largest = value;
        let sum = 0;
        for (let j = 0; j < cols; ++j) sum += out[j] = exp(round(logits[j]! - largest));
        const scale = round(1 / sum);
        for (let j = 0; j < cols; ++j) out[j] = out[j]! * scale;
      }
    },
    /**
     * dx[r][j] = y[r][j]·(dy[r][j] - Σ dy·y over the row), where softmax wrote `y`; the sum is an
     * f64 over ascending j, rounded once. dx may be dy or y.
     */
    softmaxGrad(dx: number, dy: number, y: number, rows: number, cols: number): void {
      for (let r = 0; r < rows; ++r) {
        const [d, gradient, out] = [row(dx, r, cols), row(dy, r, cols), row(y, r, cols)];
        let sum = 0;
        for (let j = 0; j < cols; ++j) sum += gradient[j]! * out[j]!;
        const s = round(sum);
        for (let j = 0; j < cols; ++j) d[j] = out[j]! * round(gradient[j]! - s);
      }
    },
  };
}
