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
 * Operands that fit L1 are read in place. Where it takes less packing, Bᵀ and A change places, and
 * the result is Cᵀ.
 *
 * Scratch holds the tile (128 bytes), the panel (64·depth), and rows of Aᵀ (4·depth each) or of Cᵀ.
 */
import { GEMM_DEPTH, GEMM_PANEL, GEMM_ROWS, GEMM_TILE } from '../../src/memory-layout/nn-layout';
import { Four, multiplyRows, One, Three, Two } from './gemm-kernel';
import { multiplyRow } from './gemv';
import { packRows, packTransposed, transpose } from './pack';
import { copyFloats, zeroFloats } from './partial';

/**
 * Up to this many rows of C, B is read in place, because packing costs more than it saves. On an
 * EPYC with V8 11 and 13, 8 was 10–35% faster than packing for B of 64 or 128 columns and equal for
 * 1024; 16 lost 10% or more where B is wide.
 */
const FEW_ROWS = 8;

/** Up to this many elements, half of the smallest L1 cache in use, operands are read in place. */
const IN_CACHE = 4096;

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
  if (k > 0) gemmPart(c, a, b, m, n, k, 0, m, 0, n, scratch, aTransposed, bTransposed);
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
  const aLine = (<usize>(aTransposed ? m : k)) << 2;
  const bLine = (<usize>(bTransposed ? k : n)) << 2;
  const kind = bTransposed ? TRANSPOSED : PLAIN;
  // biome-ignore format: one line a role
  multiply(
    c, a, aLine, b, bLine, m, n, k, top, bottom, left, right, scratch, aTransposed, kind, true,
  );
}

/**
 * C += Aᵀ·B, A of k×m and B of k×n with rows `aLine` and `bLine` bytes apart. Each accumulator
 * begins with the value in C, so that a product may be split anywhere along k.
 */
// biome-ignore format: one line a role
export function accumulate(
  c: usize, a: usize, aLine: usize, b: usize, bLine: usize,
  m: i32, n: i32, k: i32, scratch: usize,
): void {
  multiply(c, a, aLine, b, bLine, m, n, k, 0, m, 0, n, scratch, true, PLAIN, false);
}

/**
 * Packs all of op(B), for products with many A. It takes as many floats as op(B) with n rounded up
 * to GEMM_PANEL.
 */
export function packAll(packed: usize, b: usize, n: i32, k: i32, bTransposed: bool): void {
  const most = depthOf(k);
  for (let p = 0; p < k; p += most) {
    const depth = min(most, k - p);
    for (let j = 0, width = 0; j < n; j += width) {
      width = widthOf(n - j);
      if (bTransposed)
        packTransposed(packed, b + ((<usize>j * k + p) << 2), (<usize>k) << 2, depth, width);
      else packRows(packed, b + ((<usize>p * n + j) << 2), (<usize>n) << 2, depth, width);
      packed += <usize>depth * (GEMM_PANEL * 4);
    }
  }
}

/** C = A·op(B), with what packAll made of op(B), and with rows of A `aLine` bytes apart. k > 0. */
// biome-ignore format: one line a role
export function gemmPacked(
  c: usize, a: usize, aLine: usize, packed: usize,
  m: i32, n: i32, k: i32, scratch: usize,
): void {
  multiply(c, a, aLine, packed, 0, m, n, k, 0, m, 0, n, scratch, false, PACKED, true);
}

/** How B lies in memory: as it is, transposed, or as packAll leaves it. */
const PLAIN = 0;
const TRANSPOSED = 1;
const PACKED = 2;

/** Returns the largest depth of a block. Blocks are equal: 784 is 4 × 196, not 3 × 256 + 16. */
function depthOf(k: i32): i32 {
  const blocks = k > GEMM_DEPTH ? (k + GEMM_DEPTH - 1) / GEMM_DEPTH : 1;
  return (k + blocks - 1) / blocks;
}

/**
 * @param aLine bytes from one row of A in memory to the next; `bLine` likewise, unless B is packed
 * @param fresh whether accumulators begin with 0; otherwise with C
 */
// biome-ignore format: one line a role
function multiply(
  c: usize, a: usize, aLine: usize, b: usize, bLine: usize,
  m: i32, n: i32, k: i32,
  top: i32, bottom: i32, left: i32, right: i32,
  scratch: usize, aTransposed: bool, kind: i32, fresh: bool,
): void {
  // A row and its transpose have the same layout if nothing lies between the rows.
  if (m === 1 && kind === PLAIN && (!aTransposed || aLine === 4)) {
    const at = (<usize>left) << 2;
    if (top === bottom) return;
    if (fresh) zeroFloats(c + at, right - left);
    multiplyRow(c + at, a, b + at, bLine, right - left, k);
    return;
  }
  const most = depthOf(k);
  // Rows of Cᵀ for which scratch has room, because A needs none.
  const held = (most * min(GEMM_ROWS, m)) / GEMM_PANEL;
  const height = bottom - top;
  const width = right - left;
  if (kind === TRANSPOSED && fresh && held >= min(GEMM_PANEL, width)) {
    if (cost(width, height) + (height * width) / k < cost(height, width)) {
      multiplyTurned(c, a, b, n, k, top, bottom, left, right, scratch, most, held);
      return;
    }
  }
  for (let p = 0; p < k; p += most) {
    const depth = min(most, k - p);
    for (let i = top; i < bottom; i += GEMM_ROWS) {
      const rows = min(GEMM_ROWS, bottom - i);
      let ai = a + <usize>i * aLine + ((<usize>p) << 2);
      let aRow = aLine;
      let aStep: usize = 4;
      if (aTransposed) {
        ai = a + <usize>p * aLine + ((<usize>i) << 2);
        aRow = 4;
        aStep = aLine;
        if (m * depth > IN_CACHE) {
          const block = scratch + GEMM_TILE + <usize>depth * (GEMM_PANEL * 4);
          aRow = (<usize>depth) << 2;
          transpose(block, aRow, ai, aStep, depth, rows);
          ai = block;
          aStep = 4;
        }
      }
      const ci = c + ((<usize>i * n) << 2);
      const begins = fresh && p === 0;
      // biome-ignore format: one line a role
      multiplyBlock(
        ci, ai, aRow, aStep, b, bLine, rows, left, right, n, p, depth, scratch, kind, begins,
      );
    }
  }
}

/**
 * Returns the approximate cycles of a product for each k: those of packing B's columns, and of the
 * micro-kernel, in which four columns alone take as long as twelve.
 */
function cost(rows: i32, cols: i32): i32 {
  return (cols >> 2) + ((rows + 1) >> 1) * (cols > 4 ? (cols + 3) >> 2 : 3);
}

/**
 * Computes columns of C = A·Bᵀ as rows of Cᵀ = B·Aᵀ, which are the same sums: A is packed, and B
 * is read in place. Cᵀ is in scratch, `held` rows of 16 columns at a time.
 */
// biome-ignore format: one line a role
function multiplyTurned(
  c: usize, a: usize, b: usize, n: i32, k: i32,
  top: i32, bottom: i32, left: i32, right: i32,
  scratch: usize, most: i32, held: i32,
): void {
  const panel = scratch + GEMM_TILE;
  const turned = panel + <usize>most * (GEMM_PANEL * 4);
  const step = (<usize>k) << 2;
  for (let j = left; j < right; j += held) {
    const rows = min(held, right - j);
    for (let i = top, width = 0; i < bottom; i += width) {
      width = widthOf(bottom - i);
      for (let p = 0; p < k; p += most) {
        const depth = min(most, k - p);
        packTransposed(panel, a + ((<usize>i * k + p) << 2), step, depth, width);
        const bj = b + ((<usize>j * k + p) << 2);
        // biome-ignore format: one line a role
        multiplyPanel(
          turned, GEMM_PANEL * 4, bj, step, 4, panel, GEMM_PANEL * 4,
          rows, width, depth, scratch, p === 0,
        );
      }
      const ci = c + ((<usize>i * n + j) << 2);
      transpose(ci, (<usize>n) << 2, turned, GEMM_PANEL * 4, rows, width);
    }
  }
}

/**
 * Returns the width of the next panel of `columns`: of 17 to 20, it leaves 5 to 8, because four
 * columns alone take the micro-kernel as long as twelve.
 */
function widthOf(columns: i32): i32 {
  if (columns <= GEMM_PANEL) return columns;
  return columns <= GEMM_PANEL + 4 ? 12 : GEMM_PANEL;
}

/** Adds k in [p, p+depth) to columns [left, right) of `rows` rows of C, panel by panel of B. */
// biome-ignore format: one line a role
function multiplyBlock(
  c: usize, a: usize, aRow: usize, aStep: usize, b: usize, bLine: usize,
  rows: i32, left: i32, right: i32, n: i32, p: i32, depth: i32,
  scratch: usize, kind: i32, fresh: bool,
): void {
  const panel = scratch + GEMM_TILE;
  const columns = (n + (GEMM_PANEL - 1)) & ~(GEMM_PANEL - 1);
  let packed = b + ((<usize>columns * p) << 2);
  const near = rows <= FEW_ROWS || n * depth <= IN_CACHE;
  for (let j = left, width = 0; j < right; j += width) {
    width = widthOf(right - j);
    let bj = panel;
    let bStep: usize = GEMM_PANEL * 4;
    if (kind === PACKED) {
      bj = packed;
      packed += <usize>depth * (GEMM_PANEL * 4);
    } else if (kind === TRANSPOSED) {
      packTransposed(panel, b + <usize>j * bLine + ((<usize>p) << 2), bLine, depth, width);
    } else {
      const source = b + <usize>p * bLine + ((<usize>j) << 2);
      // Rows of 16 columns have the layout of a packed panel.
      if ((width & 3) !== 0 || (bLine !== GEMM_PANEL * 4 && !near)) {
        packRows(panel, source, bLine, depth, width);
      } else {
        bj = source;
        bStep = bLine;
      }
    }
    let cj = c + ((<usize>j) << 2);
    const cStep = (<usize>n) << 2;
    if ((width & 3) === 0) {
      // biome-ignore format: one line a role
      multiplyPanel(
        cj, cStep, a, aRow, aStep, bj, bStep, rows, width, depth, scratch, fresh,
      );
      continue;
    }
    let ai = a;
    let i = 0;
    // Vectors beyond the end of a row that is one panel write what the next row overwrites; of one
    // column they would reach beyond the last two rows.
    if (fresh && width === n && n > 1) {
      i = (rows - 1) & ~1;
      multiplyPanel(cj, cStep, a, aRow, aStep, bj, bStep, i, width, depth, scratch, fresh);
      cj += cStep * <usize>i;
      ai += aRow * <usize>i;
    }
    for (; i < rows; i += 2) {
      const count = min(2, rows - i);
      if (!fresh) copyRows(scratch, GEMM_PANEL * 4, cj, cStep, count, width);
      // biome-ignore format: one line a role
      multiplyPanel(
        scratch, GEMM_PANEL * 4, ai, aRow, aStep, bj, bStep, count, width, depth, scratch, fresh,
      );
      copyRows(cj, cStep, scratch, GEMM_PANEL * 4, count, width);
      cj += cStep << 1;
      ai += aRow << 1;
    }
  }
}

/** Copies `rows` rows of `width` f32. */
// biome-ignore format: one line a role
function copyRows(
  to: usize, toStep: usize, from: usize, fromStep: usize, rows: i32, width: i32,
): void {
  for (; rows > 0; --rows) {
    copyFloats(to, from, width);
    to += toStep;
    from += fromStep;
  }
}

/** Adds the products with a panel of `width` columns, up to whole vectors, to all rows of C. */
// biome-ignore format: one line a role
function multiplyPanel(
  c: usize, cStep: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  rows: i32, width: i32, depth: i32, tile: usize, fresh: bool,
): void {
  const spare = tile + GEMM_PANEL * 4;
  if (width > 12)
    multiplyRows<Four>(c, cStep, a, aRow, aStep, b, bStep, rows, depth, spare, fresh);
  else if (width > 8)
    multiplyRows<Three>(c, cStep, a, aRow, aStep, b, bStep, rows, depth, spare, fresh);
  else if (width > 4)
    multiplyRows<Two>(c, cStep, a, aRow, aStep, b, bStep, rows, depth, spare, fresh);
  else multiplyRows<One>(c, cStep, a, aRow, aStep, b, bStep, rows, depth, spare, fresh);
}
