/**
 * Batch and layer normalisation. h = (x - mean)·inv is computed alike everywhere, in f32; sums are
 * f64, ascending. Rows are dense; batch normalisation has mean and inv a column, layer
 * normalisation a row.
 */
import { loadLanes } from './partial';

export function lanesAt(p: usize, c: i32, lanes: i32): v128 {
  return loadLanes(p + ((<usize>c) << 2), lanes);
}

/**
 * dbeta[c] = Σ dy[r][c], dgamma[c] = Σ dy[r][c]·h[r][c]; mean and inv a column, or a row if
 * `byRow`.
 */
// biome-ignore format: one line a role
export function affineGradient(
  dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize,
  rows: i32, cols: i32, byRow: bool,
): void {
  const step = (<usize>cols) << 2;
  for (let c: usize = 0; c < step; c += 4) {
    let sum: f64 = 0;
    let products: f64 = 0;
    let q = byRow ? 0 : c;
    for (let p = c, end = c + step * <usize>rows; p < end; p += step) {
      const g = load<f32>(dy + p);
      const h = (load<f32>(x + p) - load<f32>(mean + q)) * load<f32>(inv + q);
      sum += g;
      products += <f64>g * <f64>h;
      if (byRow) q += 4;
    }
    store<f32>(dbeta + c, <f32>sum);
    store<f32>(dgamma + c, <f32>products);
  }
}
