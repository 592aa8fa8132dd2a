/** Copies of gemm's operands in the order in which its micro-kernel reads them. */
import { loadPartial } from './partial';

/** Bytes of a packed panel per k: GEMM_PANEL f32. */
const STEP: usize = 64;

/**
 * dst[c][r] = src[r][c] for `rows`×`cols` elements of src, both row-major with rows `srcStep` and
 * `dstStep` bytes apart. It works by 4×4 tiles, down the rows of src first, so that dst is written
 * one line after another.
 */
export function transpose(
  dst: usize,
  dstStep: usize,
  src: usize,
  srcStep: usize,
  rows: i32,
  cols: i32,
): void {
  const rows4 = rows & ~3;
  const cols4 = cols & ~3;
  for (let c = 0; c < cols4; c += 4) {
    let s = src + ((<usize>c) << 2);
    let d = dst + <usize>c * dstStep;
    for (let r = 0; r < rows4; r += 4) {
      transposeTile(d, dstStep, s, srcStep);
      s += srcStep << 2;
      d += 16;
    }
  }
  copyTransposed(dst, dstStep, src, srcStep, rows4, rows, 0, cols4);
  copyTransposed(dst, dstStep, src, srcStep, 0, rows, cols4, cols);
}

/** dst[c][r] = src[r][c] for one 4×4 tile. */
function transposeTile(dst: usize, dstStep: usize, src: usize, srcStep: usize): void {
  const r0 = v128.load(src);
  const r1 = v128.load(src + srcStep);
  const r2 = v128.load(src + 2 * srcStep);
  const r3 = v128.load(src + 3 * srcStep);
  // Columns 0 and 1 (low), 2 and 3 (high) of rows 0 and 1, then of rows 2 and 3, interleaved.
  const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<i64>(low01, low23, 0, 2));
  v128.store(dst + dstStep, v128.shuffle<i64>(low01, low23, 1, 3));
  v128.store(dst + 2 * dstStep, v128.shuffle<i64>(high01, high23, 0, 2));
  v128.store(dst + 3 * dstStep, v128.shuffle<i64>(high01, high23, 1, 3));
}

/**
 * dst[c][r] = src[r][c] for r in [row, rows) and c in [col, cols), one by one: the rest of the
 * tiles.
 */
function copyTransposed(
  dst: usize,
  dstStep: usize,
  src: usize,
  srcStep: usize,
  row: i32,
  rows: i32,
  col: i32,
  cols: i32,
): void {
  for (let r = row; r < rows; ++r) {
    for (let c = col; c < cols; ++c) {
      const value = load<f32>(src + <usize>r * srcStep + ((<usize>c) << 2));
      store<f32>(dst + <usize>c * dstStep + ((<usize>r) << 2), value);
    }
  }
}

/**
 * Packs `depth` rows of `width` (at most 16) f32, `srcStep` bytes apart; pads with zeros to a whole
 * vector.
 */
export function packRows(panel: usize, src: usize, srcStep: usize, depth: i32, width: i32): void {
  if (width === 16) {
    for (let p = 0; p < depth; ++p) {
      v128.store(panel, v128.load(src), 0);
      v128.store(panel, v128.load(src, 16), 16);
      v128.store(panel, v128.load(src, 32), 32);
      v128.store(panel, v128.load(src, 48), 48);
      panel += STEP;
      src += srcStep;
    }
    return;
  }
  const whole = (<usize>(width & ~3)) << 2;
  const rest = width & 3;
  for (let p = 0; p < depth; ++p) {
    for (let q: usize = 0; q < whole; q += 16) v128.store(panel + q, v128.load(src + q));
    if (rest) v128.store(panel + whole, loadPartial(src + whole, rest));
    panel += STEP;
    src += srcStep;
  }
}

/**
 * Packs the transpose of `width` (at most 16) rows of `depth` f32, `srcStep` bytes apart; pads like
 * packRows.
 */
export function packTransposed(
  panel: usize,
  src: usize,
  srcStep: usize,
  depth: i32,
  width: i32,
): void {
  if (width & 3) {
    const last = panel + ((<usize>(width & ~3)) << 2);
    for (let p = 0; p < depth; ++p) v128.store(last + <usize>p * STEP, f32x4.splat(0));
  }
  transpose(panel, STEP, src, srcStep, width, depth);
}
