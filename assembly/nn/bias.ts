/** Biases of rows, forward and backward. */
import { rounded } from '../math/pairs';
import { loadPartial, storePartial } from '../math/partial';

/** x[r][c] = x[r][c] + bias[c], rows dense. */
export function biasAdd(x: usize, bias: usize, rows: i32, cols: i32): void {
  const rest = cols & 3;
  const whole = (<usize>(cols - rest)) << 2;
  for (let r = 0; r < rows; ++r) {
    for (let q: usize = 0; q < whole; q += 16)
      v128.store(x + q, f32x4.add(v128.load(x + q), v128.load(bias + q)));
    x += whole;
    if (rest) {
      storePartial(x, f32x4.add(loadPartial(x, rest), loadPartial(bias + whole, rest)), rest);
      x += (<usize>rest) << 2;
    }
  }
}

/** Sums sixteen columns at once: each row of them is one cache line. */
function sumColumns(db: usize, dy: usize, rows: i32, step: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (let r = 0; r < rows; ++r) {
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v128.load64_zero(dy)));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(v128.load64_zero(dy, 8)));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(v128.load64_zero(dy, 16)));
    s3 = f64x2.add(s3, f64x2.promote_low_f32x4(v128.load64_zero(dy, 24)));
    s4 = f64x2.add(s4, f64x2.promote_low_f32x4(v128.load64_zero(dy, 32)));
    s5 = f64x2.add(s5, f64x2.promote_low_f32x4(v128.load64_zero(dy, 40)));
    s6 = f64x2.add(s6, f64x2.promote_low_f32x4(v128.load64_zero(dy, 48)));
    s7 = f64x2.add(s7, f64x2.promote_low_f32x4(v128.load64_zero(dy, 56)));
    dy += step;
  }
  v128.store(db, rounded(s0, s1));
  v128.store(db, rounded(s2, s3), 16);
  v128.store(db, rounded(s4, s5), 32);
  v128.store(db, rounded(s6, s7), 48);
}

/** db[c] = Σ dy[r][c] over ascending r, in f64, then rounded; rows dense. */
export function biasGrad(db: usize, dy: usize, rows: i32, cols: i32): void {
  const step = (<usize>cols) << 2;
  const whole = cols & ~3;
  let c = 0;
  for (; c + 16 <= whole; c += 16) {
    sumColumns(db, dy, rows, step);
    db += 64;
    dy += 64;
  }
  for (; c < whole; c += 4) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let p = dy;
    for (let r = 0; r < rows; ++r) {
      // low, high[c] += dy[r][c]
      low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(p)));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)));
      p += step;
    }
    v128.store(db, rounded(low, high));
    db += 16;
    dy += 16;
  }
  for (; c < cols; ++c) {
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
