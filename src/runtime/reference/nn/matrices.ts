/** The oracle of assembly/math/gemm.ts and bias.ts. */
import type { Arithmetic } from './arithmetic';
import { at, type OracleMemory } from './memory';

/** An operand of a product: element (row, col) is at index start + row·rowStep + col·colStep. */
export interface Operand {
  readonly start: number;
  readonly rowStep: number;
  readonly colStep: number;
}

/** A dense matrix of `cols` columns. */
export function dense(address: number, cols: number): Operand {
  return { start: at(address), rowStep: cols, colStep: 1 };
}

/** The transpose of a dense matrix of `cols` columns. */
export function transposed(address: number, cols: number): Operand {
  return { start: at(address), rowStep: 1, colStep: cols };
}

/** C of m×n at index `c`: c_ij = Σ a_ip·b_pj over ascending p, begun with what C holds. */
// biome-ignore format: one line a role
export function multiplyAdd(
  f: Float32Array | Float64Array, c: number, a: Operand, b: Operand,
  m: number, n: number, k: number, { round }: Arithmetic,
): void {
  for (let i = 0; i < m; ++i) {
    for (let j = 0; j < n; ++j) {
      let sum = f[c + i * n + j]!;
      let ai = a.start + i * a.rowStep;
      let bj = b.start + j * b.colStep;
      for (let p = 0; p < k; ++p) {
        sum = round(sum + round(f[ai]! * f[bj]!));
        ai += a.colStep;
        bj += b.rowStep;
      }
      f[c + i * n + j] = sum;
    }
  }
}

export function matrices(memory: OracleMemory, arithmetic: Arithmetic) {
  const product = (c: number, a: Operand, b: Operand, m: number, n: number, k: number): void => {
    memory.f32.fill(0, at(c), at(c) + m * n);
    multiplyAdd(memory.f32, at(c), a, b, m, n, k, arithmetic);
  };
  return {
    gemmNN(
      c: number,
      a: number,
      b: number,
      m: number,
      n: number,
      k: number,
      _scratch: number,
    ): void {
      product(c, dense(a, k), dense(b, n), m, n, k);
    },
    gemmNT(
      c: number,
      a: number,
      b: number,
      m: number,
      n: number,
      k: number,
      _scratch: number,
    ): void {
      product(c, dense(a, k), transposed(b, k), m, n, k);
    },
    gemmTN(
      c: number,
      a: number,
      b: number,
      m: number,
      n: number,
      k: number,
      _scratch: number,
    ): void {
      product(c, transposed(a, m), dense(b, n), m, n, k);
    },
    biasAdd(x: number, bias: number, rows: number, cols: number): void {
      const f = memory.f32;
      for (let i = 0; i < rows * cols; ++i) f[at(x) + i]! += f[at(bias) + (i % cols)]!;
    },
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
