/**
 * Code that batch and layer normalisation share. Both compute h = (x - mean)·inv in f32, and sums
 * in f64, ascending. Rows are dense; mean and inv are per column in batch normalisation, and per
 * row in layer normalisation.
 */
import { loadLanes } from './partial';

/** Loads the `lanes` f32 from index c of the row at p. */
export function lanesAt(p: usize, c: i32, lanes: i32): v128 {
  return loadLanes(p + ((<usize>c) << 2), lanes);
}

/**
 * dbeta[c] = Σ dy[r][c] and dgamma[c] = Σ dy[r][c]·h[r][c], with mean and inv per column, or per
 * row if `byRow`.
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
