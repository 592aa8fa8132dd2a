/** Biases of rows, forward and backward. */
import { loadPartial, storePartial } from './partial';

/** x[r][c] = x[r][c] + bias[c], rows dense. */
export function addBias(x: usize, bias: usize, rows: i32, cols: i32): void {
  const rest = cols & 3;
  const whole = (<usize>(cols - rest)) << 2;
  for (let r = 0; r < rows; ++r) {
    for (let q: usize = 0; q < whole; q += 16) v128.store(x + q, f32x4.add(v128.load(x + q), v128.load(bias + q)));
    x += whole;
    if (rest) {
      storePartial(x, f32x4.add(loadPartial(x, rest), loadPartial(bias + whole, rest)), rest);
      x += (<usize>rest) << 2;
    }
  }
}

/** db[c] = Σ dy[r][c] over ascending r, in f64, then rounded; rows dense. */
export function biasGradient(db: usize, dy: usize, rows: i32, cols: i32): void {
  const step = (<usize>cols) << 2;
  const whole = cols & ~3;
  for (let c = 0; c < whole; c += 4) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let p = dy;
    for (let r = 0; r < rows; ++r) {
      // low, high[c] += dy[r][c]
      low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(p)));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)));
      p += step;
    }
    v128.store(db, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
    db += 16;
    dy += 16;
  }
  for (let c = whole; c < cols; ++c) {
    let sum: f64 = 0;
    let p = dy;
    for (let r = 0; r < rows; ++r) {
      sum += load<f32>(p);
      p += step;
    }
    store<f32>(db, <f32>sum);
    db += 4;
    dy += 4;
  }
}
