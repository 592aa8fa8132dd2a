/** Dense matrix products. */
import type { Arithmetic } from '../math/arithmetic';
import { at, type Floats, type ReferenceMemory } from '../math/memory';

/** An operand of a product: element (row, col) is at index start + row·rowStep + col·colStep. */
interface Operand {
  readonly start: number;
  readonly rowStep: number;
  readonly colStep: number;
}

/** A dense matrix of `cols` columns. */
function dense(address: number, cols: number): Operand {
  return { start: at(address), rowStep: cols, colStep: 1 };
}

/** The transpose of a dense matrix of `cols` columns. */
function transposed(address: number, cols: number): Operand {
  return { start: at(address), rowStep: 1, colStep: cols };
}

/** C of m×n at index `c`: c_ij = Σ a_ip·b_pj over ascending p, begun with what C holds. */
// biome-ignore format: one line a role
function multiplyAdd(
  f: Floats, c: number, a: Operand, b: Operand,
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

export function kernels(memory: ReferenceMemory, arithmetic: Arithmetic) {
  const product = (c: number, a: Operand, b: Operand, m: number, n: number, k: number): void => {
    memory.f32.fill(0, at(c), at(c) + m * n);
    multiplyAdd(memory.f32, at(c), a, b, m, n, k, arithmetic);
  };
  return {
    /**
     * C = A·B, with C of m×n, A of m×k and B of k×n. Each c_ij is one f32 accumulator over
     * ascending k, from 0; each product is rounded before it is added. `scratch` is the 64-byte
     * aligned address of gemmScratchBytes(m, n, k) bytes. C is neither A nor B.
     */
    // biome-ignore format: one line a role
    gemmNN(
      c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number,
    ): void {
      product(c, dense(a, k), dense(b, n), m, n, k);
    },
    /** C = A·Bᵀ: as gemmNN, with B of n×k. */
    // biome-ignore format: one line a role
    gemmNT(
      c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number,
    ): void {
      product(c, dense(a, k), transposed(b, k), m, n, k);
    },
    /** C = Aᵀ·B: as gemmNN, with A of k×m. */
    // biome-ignore format: one line a role
    gemmTN(
      c: number, a: number, b: number, m: number, n: number, k: number, _scratch: number,
    ): void {
      product(c, transposed(a, m), dense(b, n), m, n, k);
    },
  };
}
