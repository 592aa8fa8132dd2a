/** The ABI of the nn module: vector math for training. Exports, nothing else; src/runtime/kernels-nn.ts documents it. */
import { gemm } from './math/gemm';
import { peak } from './math/gemm-kernel';

export function gemmNN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, false);
}

export function gemmNT(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, true);
}

export function gemmTN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, true, false);
}

export function peakMulAdd(iterations: i32): f32 {
  return peak(iterations);
}
