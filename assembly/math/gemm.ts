/**
 * Dense matrix products. For every shape and blocking, c_ij is one f32 accumulator over ascending
 * k, from 0; each product is rounded before it is added. Between blocks of k the accumulator is
 * stored in C, which keeps its bits. So the result depends on the operands alone, and on no block
 * size.
 *
 *   for each block of k and of rows    A: rows along k, transposed into scratch if A is k×m
 *     for each 16 columns of C         B: one packed panel of k×16, which stays in L1
 *       for each two rows of C         the micro-kernel
 *
 * Scratch holds the tile (128 bytes), the panel (64·depth), and rows of Aᵀ (4·depth each).
 */
import { GEMM_DEPTH, GEMM_PANEL, GEMM_ROWS, GEMM_TILE } from '../../src/memory-layout/nn-layout';
import { Four, multiplyTile, One, Three, Two, Width } from './gemm-kernel';
import { multiplyRow } from './gemv';
import { packRows, packTransposed, transpose } from './pack';
import { copyFloats, zeroFloats } from './partial';

/**
 * Up to this many rows of C, B is read in place, because packing costs more than it saves. On an
 * EPYC with V8 11 and 13, 8 was 10–35% faster than packing for B of 64 or 128 columns and equal for
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
 * Computes rows [top, bottom) and columns [left, right) of the same C: one task of a shared
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
 * C += op(A)·op(B): each accumulator begins with the value in C, so that a product may be split
 * anywhere along k.
 */
// biome-ignore format: one line a role
export function accumulate(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool,
): void {
  multiply(c, a, b, m, n, k, 0, m, 0, n, scratch, aTransposed, bTransposed, false);
}

/** @param fresh whether accumulators begin with 0; otherwise with C */
// biome-ignore format: one line a role
function multiply(
  c: usize, a: usize, b: usize,
  m: i32, n: i32, k: i32,
  top: i32, bottom: i32, left: i32, right: i32,
  scratch: usize, aTransposed: bool, bTransposed: bool, fresh: bool,
): void {
  if (m === 1 && !bTransposed) {
    // A row and its transpose have the same layout.
    const at = (<usize>left) << 2;
    if (top === bottom) return;
    if (fresh) zeroFloats(c + at, right - left);
    multiplyRow(c + at, a, b + at, (<usize>n) << 2, right - left, k);
    return;
  }
  // Blocks of equal depth: 784 is 4 × 196, not 3 × 256 + 16.
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
      const begins = fresh && p === 0;
      // biome-ignore format: one line a role
      multiplyBlock(
        ci, ai, aStep, b, rows, left, right, n, k, p, depth, scratch, bTransposed, begins,
      );
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
      // Rows of 16 columns have the layout of a packed panel.
      if (n !== GEMM_PANEL && (rows > FEW_ROWS || (width & 3) !== 0)) {
        packRows(panel, source, (<usize>n) << 2, depth, width);
      } else {
        bj = source;
        bStep = (<usize>n) << 2;
      }
    }
    const cj = c + ((<usize>j) << 2);
    const cStep = (<usize>n) << 2;
    if (width > 12)
      multiplyPanel<Four>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else if (width > 8)
      multiplyPanel<Three>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else if (width > 4)
      multiplyPanel<Two>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
    else multiplyPanel<One>(cj, cStep, a, aStep, bj, bStep, rows, width, depth, scratch, fresh);
  }
}

/**
 * Computes all rows of one panel of C, two at a time. Rows and columns beyond C go to the scratch
 * tile, so that C's neighbours stay unchanged.
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
