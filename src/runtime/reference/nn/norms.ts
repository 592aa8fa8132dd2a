/** The oracle of assembly/math/norm.ts and embedding.ts. */
import type { Arithmetic } from './arithmetic';
import { at, type OracleMemory } from './memory';

/** Mean and summed squared distances from it of n elements, in f64. */
function moments(n: number, element: (i: number) => number): { mean: number; squares: number } {
  let sum = 0;
  for (let i = 0; i < n; ++i) sum += element(i);
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; ++i) squares += (element(i) - mean) * (element(i) - mean);
  return { mean, squares };
}

function batchNorms(memory: OracleMemory, { round }: Arithmetic) {
  return {
    inverseDeviation(inv: number, variance: number, n: number, eps: number): void {
      const f = memory.f32;
      for (let i = 0; i < n; ++i) f[at(inv) + i] = 1 / Math.sqrt(f[at(variance) + i]! + eps);
    },
    // biome-ignore format: one line a role
    batchStatistics(
      mean: number, inv: number, runningMean: number, runningVariance: number,
      x: number, rows: number, cols: number, eps: number, momentum: number,
    ): void {
      const f = memory.f32;
      for (let c = 0; c < cols; ++c) {
        const column = moments(rows, (r) => f[at(x) + r * cols + c]!);
        f[at(mean) + c] = column.mean;
        f[at(inv) + c] = 1 / Math.sqrt(column.squares / rows + eps);
        f[at(runningMean) + c]! += momentum * (column.mean - f[at(runningMean) + c]!);
        f[at(runningVariance) + c]! += momentum * (column.squares / Math.max(1, rows - 1) - f[at(runningVariance) + c]!);
      }
    },
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
    // biome-ignore format: one line a role
    batchNormGrad(
      dx: number, dgamma: number, dbeta: number,
      dy: number, x: number, mean: number, inv: number, gamma: number,
      rows: number, cols: number,
    ): void {
      const f = memory.f32;
      const normalized = (i: number) => round(round(f[at(x) + i]! - f[at(mean) + (i % cols)]!) * f[at(inv) + (i % cols)]!);
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

/** dbeta = Σ dy and dgamma = Σ dy·h over rows, column by column, in f64. */
// biome-ignore format: one line a role
function affineGradient(
  f: Float32Array | Float64Array, dgamma: number, dbeta: number,
  dy: number, normalized: (i: number) => number, rows: number, cols: number,
): void {
  for (let c = 0; c < cols; ++c) {
    let sum = 0;
    let products = 0;
    for (let i = c; i < rows * cols; i += cols) {
      sum += f[at(dy) + i]!;
      products += f[at(dy) + i]! * normalized(i);
    }
    f[at(dbeta) + c] = sum;
    f[at(dgamma) + c] = products;
  }
}

function layerNorms(memory: OracleMemory, { round }: Arithmetic) {
  return {
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
    // biome-ignore format: one line a role
    layerNormGrad(
      dx: number, dgamma: number, dbeta: number,
      dy: number, x: number, mean: number, inv: number, gamma: number,
      rows: number, cols: number,
    ): void {
      const f = memory.f32;
      const rowOf = (i: number) => Math.floor(i / cols);
      const normalized = (i: number) => round(round(f[at(x) + i]! - f[at(mean) + rowOf(i)]!) * f[at(inv) + rowOf(i)]!);
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

function embeddings(memory: OracleMemory) {
  const names = (index: number, rows: number) =>
    Number.isInteger(index) && index >= 0 && index < rows;
  return {
    embedding(
      y: number,
      indices: number,
      table: number,
      count: number,
      rows: number,
      dim: number,
    ): void {
      const f = memory.f32;
      for (let i = 0; i < count * dim; ++i) {
        const index = f[at(indices) + Math.floor(i / dim)]!;
        f[at(y) + i] = names(index, rows) ? f[at(table) + index * dim + (i % dim)]! : Number.NaN;
      }
    },
    embeddingGrad(
      dtable: number,
      dy: number,
      indices: number,
      count: number,
      rows: number,
      dim: number,
    ): void {
      const f = memory.f32;
      f.fill(0, at(dtable), at(dtable) + rows * dim);
      for (let i = 0; i < count * dim; ++i) {
        const index = f[at(indices) + Math.floor(i / dim)]!;
        if (names(index, rows)) f[at(dtable) + index * dim + (i % dim)]! += f[at(dy) + i]!;
      }
    },
  };
}

export function norms(memory: OracleMemory, arithmetic: Arithmetic) {
  return {
    ...batchNorms(memory, arithmetic),
    ...layerNorms(memory, arithmetic),
    ...embeddings(memory),
  };
}
