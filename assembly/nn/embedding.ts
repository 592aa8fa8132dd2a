/**
 * Rows of a table by index. Indices are integers stored as f32 (exact below 2^24), as all features
 * are.
 */
import { addFloats, copyFloats, zeroFloats } from '../math/partial';

/** Returns the row that v names, or -1 if it names none of `rows` rows. */
function rowOf(v: f32, rows: i32): i32 {
  const row = <i32>v;
  return <f32>row === v && <u32>row < <u32>rows ? row : -1;
}

/** y[i] = table[indices[i]]. An index that names no row gives NaN, which no step accepts. */
// biome-ignore format: one line a role
export function embedding(
  y: usize, indices: usize, table: usize, count: i32, rows: i32, dim: i32,
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

/** dtable[row] = Σ dy[i] in f32 over ascending i whose index names the row; 0 for row `padding`. */
// biome-ignore format: one line a role
export function embeddingGrad(
  dtable: usize, dy: usize, indices: usize, count: i32, rows: i32, dim: i32, padding: i32,
): void {
  const step = (<usize>dim) << 2;
  zeroFloats(dtable, rows * dim);
  for (let i = 0; i < count; ++i) {
    const row = rowOf(load<f32>(indices + ((<usize>i) << 2)), rows);
    if (row >= 0 && row !== padding) addFloats(dtable + <usize>row * step, dy, dim);
    dy += step;
  }
}
