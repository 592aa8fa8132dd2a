/**
 * Dense matrix products. Whatever the shape and the blocking, c_ij is one f32 accumulator over
 * ascending k, from 0, each product rounded before it is added: between blocks of k it rests in C,
 * which keeps its bits. So the result is a function of the operands alone, and no block size below
 * can change it.
 *
 *   for each block of k, and of rows:        A: rows of f32 along k (transposed into scratch where A is stored k×m)
 *     for each 16 columns of C:              B: one packed panel, k×16, L1-resident
 *       for each two rows of C:              the micro-kernel
 *
 * Scratch: ┌ tile, 128 B ┐┌ panel, 64·depth ┐┌ rows of Aᵀ, 4·depth each ┐
 */
import { GEMM_DEPTH, GEMM_PANEL, GEMM_ROWS, GEMM_TILE } from '../../src/memory-layout/nn-layout';
import { Four, multiplyTile, One, Three, Two, Width } from './gemm-kernel';
import { multiplyRow } from './gemv';
import { packRows, packTransposed, transpose } from './pack';
import { copyFloats, zeroFloats } from './partial';

/**
 * Up to so many rows of C, B is read in place, because packing costs more than it saves. On an EPYC
 * with V8 11 and 13, 8 was 10–35% faster than packing for B of 64 or 128 columns and equal for
 * 1024; 16 lost 10% or more where B is wide.
 */
const FEW_ROWS = 8;

/**
 * C = op(A)·op(B), C of m×n; op(A) is A of m×k or, `aTransposed`, the transpose of A of k×m; B
 * likewise.
 */
// biome-ignore format: one line a role
export function gemm(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool,
): void {
  if (k > 0) multiply(c, a, b, m, n, k, 0, m, 0, n, scratch, aTransposed, bTransposed, true);
  else zeroFloats(c, m * n);
}

/**
 * Of the same, rows [top, bottom) and columns [left, right) of C: what one thread does of a shared
 * product. k > 0.
 */
// biome-ignore format: one line a role
export function gemmPart(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  top: i32, bottom: i32, left: i32, right: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool,
): void {
  multiply(c, a, b, m, n, k, top, bottom, left, right, scratch, aTransposed, bTransposed, true);
}

/**
 * The same, added to what C holds: each accumulator begins with it. So two products along k are
 * one, cut anywhere.
 */
// biome-ignore format: one line a role
export function accumulate(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool,
): void {
  multiply(c, a, b, m, n, k, 0, m, 0, n, scratch, aTransposed, bTransposed, false);
}

/** @param fresh accumulators begin with 0, not with C */
// biome-ignore format: one line a role
function multiply(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  top: i32, bottom: i32, left: i32, right: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool, fresh: bool,
): void {
  if (m === 1 && !bTransposed) {
    // A row of A and its transpose lie alike.
    const at = (<usize>left) << 2;
    if (top === bottom) return;
    if (fresh) zeroFloats(c + at, right - left);
    multiplyRow(c + at, a, b + at, (<usize>n) << 2, right - left, k);
    return;
  }
  // Blocks of equal depth: 784 is 4 × 196, not 3 × 256 and a stump of 16.
  const blocks = k > GEMM_DEPTH ? (k + GEMM_DEPTH - 1) / GEMM_DEPTH : 1;
  const most = (k + blocks - 1) / blocks;
  for (let p = 0; p < k; p += most) {
    const depth = min(most, k - p);
    for (let i = top; i < bottom; i += GEMM_ROWS) {
      const rows = min(GEMM_ROWS, bottom - i);
      let ai = a + ((<usize>i * k + p) << 2);
      let aStep = (<usize>k) << 2;
      if (aTransposed) {
        ai = scratch + GEMM_TILE + <usize>depth * (GEMM_PANEL * 4);
        aStep = (<usize>depth) << 2;
        transpose(ai, aStep, a + ((<usize>p * m + i) << 2), (<usize>m) << 2, depth, rows);
      }
      const ci = c + ((<usize>i * n) << 2);
      multiplyBlock(ci, ai, aStep, b, rows, left, right, n, k, p, depth, scratch, bTransposed, fresh && p === 0);
    }
  }
}

/** Adds k in [p, p+depth) to columns [left, right) of `rows` rows of C, panel by panel of B. */
// biome-ignore format: one line a role
function multiplyBlock(
  c: usize, a: usize, aStep: usize, b: usize,
  rows: i32, left: i32, right: i32, n: i32, k: i32, p: i32, depth: i32,
  scratch: usize, bTransposed: bool, fresh: bool,
): void {
  const panel = scratch + GEMM_TILE;
  for (let j = left; j < right; j += GEMM_PANEL) {
    const width = min(GEMM_PANEL, right - j);
    let bj = panel;
    let bStep: usize = GEMM_PANEL * 4;
    if (bTransposed) {
      packTransposed(panel, b + ((<usize>j * k + p) << 2), (<usize>k) << 2, depth, width);
    } else {
      const source = b + ((<usize>p * n + j) << 2);
      // Rows of 16 columns lie as a packed panel does.
      if (n !== GEMM_PANEL && (rows > FEW_ROWS || (width & 3) !== 0)) {
        packRows(panel, source, (<usize>n) << 2, depth, width);
      } else {
        bj = source;
        bStep = (<usize>n) << 2;
      }
    }
    const cj = c + ((<usize>j) << 2);
    const cStep = (<usize>n) << 2;
    if (width > 12) multiplyPanel<Four>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else if (width > 8) multiplyPanel<Three>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else if (width > 4) multiplyPanel<Two>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else multiplyPanel<One>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
  }
}

/**
 * All rows of one panel of C, two at a time. A row or columns too many go to the scratch tile, so
 * that C's neighbours stay.
 */
// biome-ignore format: one line a role
function multiplyPanel<W extends Width>(
  c: usize, cStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  rows: i32, width: i32, depth: i32, tile: usize, fresh: bool,
): void {
  const ragged = (width & 3) !== 0;
  const tile1 = tile + GEMM_PANEL * 4;
  for (let i = 0; i < rows; i += 2) {
    const paired = i + 1 < rows;
    const c1 = c + cStep;
    const a1 = paired ? a + aStep : a;
    if (ragged) {
      if (!fresh) {
        copyFloats(tile, c, width);
        if (paired) copyFloats(tile1, c1, width);
      }
      multiplyTile<W>(tile, tile1, a, a1, b, bStep, depth, fresh);
      copyFloats(c, tile, width);
      if (paired) copyFloats(c1, tile1, width);
    } else {
      multiplyTile<W>(c, paired ? c1 : tile1, a, a1, b, bStep, depth, fresh);
    }
    c += cStep << 1;
    a += aStep << 1;
  }
}
