/** Activations and biases, forward and backward. */
import { loadPartial, storePartial, turnsEnd } from './partial';

/** out[i] = x[i] < 0 ? 0 : x[i] */
export function rectify(out: usize, x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (const end = turnsEnd(out, n); out < end; out += 64) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    v128.store(out, v128.andnot(x0, f32x4.lt(x0, zero)));
    v128.store(out, v128.andnot(x1, f32x4.lt(x1, zero)), 16);
    v128.store(out, v128.andnot(x2, f32x4.lt(x2, zero)), 32);
    v128.store(out, v128.andnot(x3, f32x4.lt(x3, zero)), 48);
    x += 64;
  }
}

/** dx[i] = out[i] > 0 ? dy[i] : 0 */
export function rectifyGradient(dx: usize, dy: usize, out: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (const end = turnsEnd(dx, n); dx < end; dx += 64) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(out), zero)));
    v128.store(dx, v128.and(v128.load(dy, 16), f32x4.gt(v128.load(out, 16), zero)), 16);
    v128.store(dx, v128.and(v128.load(dy, 32), f32x4.gt(v128.load(out, 32), zero)), 32);
    v128.store(dx, v128.and(v128.load(dy, 48), f32x4.gt(v128.load(out, 48), zero)), 48);
    dy += 64;
    out += 64;
  }
}

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
