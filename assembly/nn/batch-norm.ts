/** Batch normalisation: mean and inv per column. Sums are f64, over ascending rows. */
import { affineGradient } from '../math/norm';
import { highPair, lowPair, rounded } from '../math/pairs';
import { Lanes, Quad, Single } from '../math/partial';

/** inv[i] = 1/√(variance[i] + eps), in f64, rounded once. */
export function inverseDeviation(inv: usize, variance: usize, n: i32, eps: f64): void {
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    store<f32>(inv + i, <f32>(1.0 / sqrt(<f64>load<f32>(variance + i) + eps)));
  }
}

/**
 * mean[c] and inv[c] = 1/√(variance + eps) of the columns, with the variance from the unrounded
 * mean. Moves the running statistics by `momentum` towards the mean and the variance over rows -
 * correction (over 1 for a single row).
 */
// biome-ignore format: one line a role
export function batchStatistics(
  mean: usize, inv: usize,
  runningMean: usize, runningVariance: usize,
  x: usize, rows: i32, cols: i32, eps: f64, momentum: f64, correction: i32,
): void {
  const step = (<usize>cols) << 2;
  let at: usize = 0;
  for (; at + 16 <= step; at += 16)
    columnStatistics<Quad>(
      mean + at, inv + at, runningMean + at, runningVariance + at,
      x + at, rows, step, eps, momentum, correction,
    );
  for (; at < step; at += 4)
    columnStatistics<Single>(
      mean + at, inv + at, runningMean + at, runningVariance + at,
      x + at, rows, step, eps, momentum, correction,
    );
}

/** The same for the columns at x, with rows `step` bytes apart. */
// biome-ignore format: one line a role
function columnStatistics<L extends Lanes>(
  mean: usize, inv: usize,
  runningMean: usize, runningVariance: usize,
  x: usize, rows: i32, step: usize, eps: f64, momentum: f64, correction: i32,
): void {
  const end = x + step * <usize>rows;
  let low = f64x2.splat(0);
  let high = low;
  for (let p = x; p < end; p += step) {
    const v = changetype<L>(0).load(p);
    low = f64x2.add(low, lowPair(v));
    high = f64x2.add(high, highPair(v));
  }
  const count = f64x2.splat(<f64>rows);
  low = f64x2.div(low, count);
  high = f64x2.div(high, count);
  let squaresLow = f64x2.splat(0);
  let squaresHigh = squaresLow;
  for (let p = x; p < end; p += step) {
    const v = changetype<L>(0).load(p);
    const dLow = f64x2.sub(lowPair(v), low);
    const dHigh = f64x2.sub(highPair(v), high);
    squaresLow = f64x2.add(squaresLow, f64x2.mul(dLow, dLow));
    squaresHigh = f64x2.add(squaresHigh, f64x2.mul(dHigh, dHigh));
  }
  changetype<L>(0).store(mean, rounded(low, high));
  const invLow = inverseOf(f64x2.div(squaresLow, count), eps);
  changetype<L>(0).store(inv, rounded(invLow, inverseOf(f64x2.div(squaresHigh, count), eps)));
  move<L>(runningMean, low, high, momentum);
  const divisor = f64x2.splat(<f64>max(1, rows - correction));
  squaresLow = f64x2.div(squaresLow, divisor);
  move<L>(runningVariance, squaresLow, f64x2.div(squaresHigh, divisor), momentum);
}

/** Returns 1/√(variance + eps) of a pair. */
function inverseOf(variance: v128, eps: f64): v128 {
  return f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(variance, f64x2.splat(eps))));
}

/** Moves the statistics at `to` by `momentum` towards the pairs. */
function move<L extends Lanes>(to: usize, low: v128, high: v128, momentum: f64): void {
  const share = f64x2.splat(momentum);
  const old = changetype<L>(0).load(to);
  const oldLow = lowPair(old);
  const oldHigh = highPair(old);
  low = f64x2.add(oldLow, f64x2.mul(share, f64x2.sub(low, oldLow)));
  high = f64x2.add(oldHigh, f64x2.mul(share, f64x2.sub(high, oldHigh)));
  changetype<L>(0).store(to, rounded(low, high));
}

/** y[r][c] = ((x[r][c] - mean[c])·inv[c])·gamma[c] + beta[c]. y may be x. */
// biome-ignore format: one line a role
export function batchNorm(
  y: usize, x: usize,
  mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32,
): void {
  const step = (<usize>cols) << 2;
  const most = rowsInCache(cols);
  for (; rows > 0; rows -= most) {
    const block = <usize>min(rows, most) * step;
    let at: usize = 0;
    for (; at + 16 <= step; at += 16)
      normalize<Quad>(y, x, mean, inv, gamma, beta, at, at + block, step);
    for (; at < step; at += 4)
      normalize<Single>(y, x, mean, inv, gamma, beta, at, at + block, step);
    x += block;
    y += block;
  }
}

/** The same for the columns at `at` bytes, up to `end`. */
// biome-ignore format: one line a role
function normalize<L extends Lanes>(
  y: usize, x: usize,
  mean: usize, inv: usize, gamma: usize, beta: usize,
  at: usize, end: usize, step: usize,
): void {
  const m = changetype<L>(0).load(mean + at);
  const s = changetype<L>(0).load(inv + at);
  const g = changetype<L>(0).load(gamma + at);
  const b = changetype<L>(0).load(beta + at);
  for (; at < end; at += step) {
    const h = f32x4.mul(f32x4.sub(changetype<L>(0).load(x + at), m), s);
    changetype<L>(0).store(y + at, f32x4.add(f32x4.mul(h, g), b));
  }
}

/** Returns the number of rows that stay in the smallest L1 cache while columns are visited. */
function rowsInCache(cols: i32): i32 {
  return cols < 2048 ? 2048 / cols : 1;
}

/** Computes dgamma and dbeta, and dx unless it is 0. */
// biome-ignore format: one line a role
export function batchNormGrad(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  affineGradient(dgamma, dbeta, dy, x, mean, inv, rows, cols, false);
  if (dx) inputGradient(dx, dgamma, dbeta, dy, x, mean, inv, gamma, rows, cols);
}

/**
 * dx = (gamma·inv)·((dy - dbeta/rows) - h·(dgamma/rows)), with the dbeta and dgamma of
 * affineGradient. dx may be dy.
 */
// biome-ignore format: one line a role
function inputGradient(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  const share = f32x4.splat(<f32>(1.0 / <f64>rows));
  const step = (<usize>cols) << 2;
  const most = rowsInCache(cols);
  for (; rows > 0; rows -= most) {
    const block = <usize>min(rows, most) * step;
    let at: usize = 0;
    // biome-ignore format: one line a role
    for (; at + 16 <= step; at += 16)
      columnGradient<Quad>(
        dx, dgamma, dbeta, dy, x, mean, inv, gamma, at, at + block, step, share,
      );
    for (; at < step; at += 4)
      columnGradient<Single>(
        dx, dgamma, dbeta, dy, x, mean, inv, gamma, at, at + block, step, share,
      );
    x += block;
    dy += block;
    dx += block;
  }
}

/** The same for the columns at `at` bytes, up to `end`. */
// biome-ignore format: one line a role
function columnGradient<L extends Lanes>(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  at: usize, end: usize, step: usize, share: v128,
): void {
  const m = changetype<L>(0).load(mean + at);
  const s = changetype<L>(0).load(inv + at);
  const a = f32x4.mul(changetype<L>(0).load(dbeta + at), share);
  const b = f32x4.mul(changetype<L>(0).load(dgamma + at), share);
  const scale = f32x4.mul(changetype<L>(0).load(gamma + at), s);
  for (; at < end; at += step) {
    const h = f32x4.mul(f32x4.sub(changetype<L>(0).load(x + at), m), s);
    const g = f32x4.sub(changetype<L>(0).load(dy + at), a);
    changetype<L>(0).store(dx + at, f32x4.mul(scale, f32x4.sub(g, f32x4.mul(h, b))));
  }
}
