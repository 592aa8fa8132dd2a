/** Layer normalisation: mean and inv per row. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { affineGradient, moments } from '../math/moments';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /**
     * y = h·gamma[c] + beta[c] with h = (x - mean[r])·inv[r]; mean[r] and inv[r] = 1/√(variance +
     * eps) of each row are written for layerNormGrad. y may be x.
     */
    // biome-ignore format: one line a role
    layerNorm(
      y: number, x: number, mean: number, inv: number, gamma: number, beta: number,
      rows: number, cols: number, eps: number,
    ): void {
      const f = memory.f32;
      for (let r = 0; r < rows; ++r) {
        const first = at(x) + r * cols;
        const row = moments(cols, (c) => f[first + c]!);
        f[at(mean) + r] = row.mean;
        f[at(inv) + r] = 1 / Math.sqrt(row.squares / cols + eps);
        for (let c = 0; c < cols; ++c) {
          const h = round(round(f[first + c]! - f[at(mean) + r]!) * f[at(inv) + r]!);
          f[at(y) + r * cols + c] = round(h * f[at(gamma) + c]!) + f[at(beta) + c]!;
        }
      }
    },
    /** Gradients through layerNorm. dx may be dy; it is 0 if the gradient by x is not needed. */
    // biome-ignore format: one line a role
    layerNormGrad(
      dx: number, dgamma: number, dbeta: number,
      dy: number, x: number, mean: number, inv: number, gamma: number,
      rows: number, cols: number,
    ): void {
      const f = memory.f32;
      const normalized = (i: number) => {
        const r = Math.floor(i / cols);
        return round(round(f[at(x) + i]! - f[at(mean) + r]!) * f[at(inv) + r]!);
      };
      affineGradient(f, dgamma, dbeta, dy, normalized, rows, cols);
      if (!dx) return;
      for (let r = 0; r < rows; ++r) {
        const scaled = (c: number) => round(f[at(dy) + r * cols + c]! * f[at(gamma) + c]!);
        let sum = 0;
        let products = 0;
        for (let c = 0; c < cols; ++c) {
          sum += scaled(c);
          products += scaled(c) * normalized(r * cols + c);
        }
        const [a, b] = [round(sum / cols), round(products / cols)];
        for (let c = 0; c < cols; ++c) {
          const inner = round(round(scaled(c) - a) - round(normalized(r * cols + c) * b));
          f[at(dx) + r * cols + c] = f[at(inv) + r]! * inner;
        }
      }
    },
  };
}
