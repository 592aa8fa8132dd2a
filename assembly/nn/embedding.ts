/**
 * Embedding: rows of a table by index. Indices are whole numbers held as f32 (exact below 2^24), so
 * any data set holds them.
 */
import { addFloats, copyFloats, zeroFloats } from '../math/partial';

/** The row that v names, or -1 if it names none of `rows`. */
function rowOf(v: f32, rows: i32): i32 {
  const row = <i32>v;
  return <f32>row === v && <u32>row < <u32>rows ? row : -1;
}

/** y[i] = table[indices[i]]; an index that names no row gives NaN, which cannot be overlooked. */
export function embedding(
  y: usize,
  indices: usize,
  table: usize,
  count: i32,
  rows: i32,
  dim: i32,
): void {
  const step = (<usize>dim) << 2;
  for (let i = 0; i < count; ++i) {
    const row = rowOf(load<f32>(indices + ((<usize>i) << 2)), rows);
    if (row >= 0) {
      copyFloats(y, table + <usize>row * step, dim);
    } else {
      for (let j: usize = 0; j < step; j += 4) store<f32>(y + j, NaN);
    }
    y += step;
  }
}

/** dtable[row] = Σ dy[i] over the i that name it, ascending, in f32. */
export function embeddingGrad(
  dtable: usize,
  dy: usize,
  indices: usize,
  count: i32,
  rows: i32,
  dim: i32,
): void {
  const step = (<usize>dim) << 2;
  zeroFloats(dtable, rows * dim);
  for (let i = 0; i < count; ++i) {
    const row = rowOf(load<f32>(indices + ((<usize>i) << 2)), rows);
    if (row >= 0) addFloats(dtable + <usize>row * step, dy, dim);
    dy += step;
  }
}
