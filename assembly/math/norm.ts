/**
 * Code that batch and layer normalisation share. Both compute h = (x - mean)·inv in f32, and sums
 * in f64, ascending. Rows are dense; mean and inv are per column in batch normalisation, and per
 * row in layer normalisation.
 */
import { highPair, lowPair, rounded } from './pairs';
import { Lanes, loadLanes, Quad, Single } from './partial';

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
  let at: usize = 0;
  for (; at + 16 <= step; at += 16)
    columnGradient<Quad>(dgamma, dbeta, dy, x, mean, inv, at, rows, step, byRow);
  for (; at < step; at += 4)
    columnGradient<Single>(dgamma, dbeta, dy, x, mean, inv, at, rows, step, byRow);
}

/** The same for the columns at `at` bytes. */
// biome-ignore format: one line a role
function columnGradient<L extends Lanes>(
  dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize,
  at: usize, rows: i32, step: usize, byRow: bool,
): void {
  let m = f32x4.splat(0);
  let s = m;
  if (!byRow) {
    m = changetype<L>(0).load(mean + at);
    s = changetype<L>(0).load(inv + at);
  }
  let sumLow = f64x2.splat(0);
  let sumHigh = sumLow;
  let productsLow = sumLow;
  let productsHigh = sumLow;
  for (let p = at, end = at + step * <usize>rows; p < end; p += step) {
    if (byRow) {
      m = v128.load32_splat(mean);
      s = v128.load32_splat(inv);
      mean += 4;
      inv += 4;
    }
    const g = changetype<L>(0).load(dy + p);
    const h = f32x4.mul(f32x4.sub(changetype<L>(0).load(x + p), m), s);
    const low = lowPair(g);
    const high = highPair(g);
    sumLow = f64x2.add(sumLow, low);
    sumHigh = f64x2.add(sumHigh, high);
    productsLow = f64x2.add(productsLow, f64x2.mul(low, lowPair(h)));
    productsHigh = f64x2.add(productsHigh, f64x2.mul(high, highPair(h)));
  }
  changetype<L>(0).store(dbeta + at, rounded(sumLow, sumHigh));
  changetype<L>(0).store(dgamma + at, rounded(productsLow, productsHigh));
}
