/**
 * Products whose C is one row. No element of B is used twice, so B is read in place, four rows at a
 * time, and never packed; the row of C stays in L1. Each c_j is the same accumulator as in gemm:
 * over ascending k, from the value in C.
 */
import { multiplyAdd } from './gemm-kernel';
import { loadPartial, storePartial } from './partial';

/** Columns per pass: 16 KiB of C, half of the smallest L1 cache in use. */
const COLUMNS = 4096;

/**
 * c[j] += Σ a[p]·b[p][j], p ascending below k, for `width` columns j; rows of b lie `bStep` bytes
 * apart.
 */
export function multiplyRow(c: usize, a: usize, b: usize, bStep: usize, width: i32, k: i32): void {
  const k4 = k & ~3;
  for (let j = 0; j < width; j += COLUMNS) {
    const columns = min(COLUMNS, width - j);
    const at = (<usize>j) << 2;
    for (let p = 0; p < k4; p += 4)
      addFourRows(c + at, a + ((<usize>p) << 2), b + at + <usize>p * bStep, bStep, columns);
    for (let p = k4; p < k; ++p)
      addRow(c + at, load<f32>(a + ((<usize>p) << 2)), b + at + <usize>p * bStep, columns);
  }
}

/** c[j] += a[0]·b[0][j]; … c[j] += a[3]·b[3][j] */
function addFourRows(c: usize, a: usize, b0: usize, bStep: usize, width: i32): void {
  const s0 = v128.load32_splat(a);
  const s1 = v128.load32_splat(a, 4);
  const s2 = v128.load32_splat(a, 8);
  const s3 = v128.load32_splat(a, 12);
  const b1 = b0 + bStep;
  const b2 = b1 + bStep;
  const b3 = b2 + bStep;
  const whole = (<usize>(width & ~3)) << 2;
  for (let q: usize = 0; q < whole; q += 16) {
    let sum = multiplyAdd(v128.load(c + q), s0, v128.load(b0 + q));
    sum = multiplyAdd(sum, s1, v128.load(b1 + q));
    sum = multiplyAdd(sum, s2, v128.load(b2 + q));
    v128.store(c + q, multiplyAdd(sum, s3, v128.load(b3 + q)));
  }
  const rest = width & 3;
  if (rest) {
    let sum = multiplyAdd(loadPartial(c + whole, rest), s0, loadPartial(b0 + whole, rest));
    sum = multiplyAdd(sum, s1, loadPartial(b1 + whole, rest));
    sum = multiplyAdd(sum, s2, loadPartial(b2 + whole, rest));
    storePartial(c + whole, multiplyAdd(sum, s3, loadPartial(b3 + whole, rest)), rest);
  }
}

/** c[j] += s·b[j] */
function addRow(c: usize, s: f32, b: usize, width: i32): void {
  const factor = f32x4.splat(s);
  const whole = (<usize>(width & ~3)) << 2;
  for (let q: usize = 0; q < whole; q += 16)
    v128.store(c + q, multiplyAdd(v128.load(c + q), factor, v128.load(b + q)));
  const rest = width & 3;
  if (rest)
    storePartial(
      c + whole,
      multiplyAdd(loadPartial(c + whole, rest), factor, loadPartial(b + whole, rest)),
      rest,
    );
}
