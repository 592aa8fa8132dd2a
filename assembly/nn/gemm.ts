/** Dense matrix products C = op(A)·op(B); assembly/math/gemm.ts computes them. */
import { gemm } from '../math/gemm';

/** C = A·B, with A of m×k and B of k×n. */
export function gemmNN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, false);
}

/** C = A·Bᵀ, with A of m×k and B of n×k. */
export function gemmNT(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, true);
}

/** C = Aᵀ·B, with A of k×m and B of k×n. */
export function gemmTN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, true, false);
}
