/** Batch normalisation: mean and inv per column. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type ReferenceMemory } from '../math/memory';
import { affineGradient, moments } from '../math/moments';

export function kernels(memory: ReferenceMemory, { round }: Arithmetic) {
  return {
    /** inv[i] = 1/√(variance[i] + eps) */
    inverseDeviation(inv: number, variance: number, n: number, eps: number): void {
      const f = memory.f32;
      for (let i = 0; i < n; ++i) f[at(inv) + i] = 1 / Math.sqrt(f[at(variance) + i]! + eps);
    },
    /**
     * mean[c] and inv[c] = 1/√(variance + eps) of the columns of x, in f64 over ascending rows. The
     * running statistics move by `momentum` towards the mean and the variance over rows -
     * correction: unbiased with 1, biased with 0.
     */
    // biome-ignore format: one line a role
    batchStatistics(
      mean: number, inv: number, runningMean: number, runningVariance: number,
      x: number, rows: number, cols: number, eps: number, momentum: number, correction: number,
    ): void {
      const f = memory.f32;
      for (let c = 0; c < cols; ++c) {
        const column = moments(rows, (r) => f[at(x) + r * cols + c]!);
        f[at(mean) + c] = column.mean;
        f[at(inv) + c] = 1 / Math.sqrt(column.squares / rows + eps);
        f[at(runningMean) + c]! += momentum * (column.mean - f[at(runningMean) + c]!);
        const variance = column.squares / Math.max(1, rows - correction);
        f[at(runningVariance) + c]! += momentum * (variance - f[at(runningVariance) + c]!);
      }
    },
    /** y = ((x - mean[c])·inv[c])·gamma[c] + beta[c]. y may be x. */
    // biome-ignore format: one line a role
    batchNorm(
      y: number, x: number, mean: number, inv: number, gamma: number, beta: number,
      rows: number, cols: number,
    ): void {
      const f = memory.f32;
      for (let i = 0; i < rows * cols; ++i) {
        const c = i % cols;
        const h = round(round(f[at(x) + i]! - f[at(mean) + c]!) * f[at(inv) + c]!);
        f[at(y) + i] = round(h * f[at(gamma) + c]!) + f[at(beta) + c]!;
      }
    },
    /**
     * Gradients through batchStatistics and batchNorm. dx may be dy; it is 0 if the gradient by x
     * is not needed.
     */
    // biome-ignore format: one line a role
    batchNormGrad(
      dx: number, dgamma: number, dbeta: number,
      dy: number, x: number, mean: number, inv: number, gamma: number,
      rows: number, cols: number,
    ): void {
      const f = memory.f32;
      const normalized = (i: number) => {
        const c = i % cols;
        return round(round(f[at(x) + i]! - f[at(mean) + c]!) * f[at(inv) + c]!);
      };
      affineGradient(f, dgamma, dbeta, dy, normalized, rows, cols);
      if (!dx) return;
      const share = round(1 / rows);
      for (let i = 0; i < rows * cols; ++i) {
        const c = i % cols;
        const a = round(f[at(dbeta) + c]! * share);
        const b = round(f[at(dgamma) + c]! * share);
        const inner = round(round(f[at(dy) + i]! - a) - round(normalized(i) * b));
        f[at(dx) + i] = round(f[at(gamma) + c]! * f[at(inv) + c]!) * inner;
      }
    },
  };
}
