/** Batch normalisation: mean and inv per column. Sums are f64, over ascending rows. */
import { affineGradient, lanesAt } from '../math/norm';
import { loadLanes, storeLanes } from '../math/partial';

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
  const count = <f64>rows;
  const divisor = <f64>max(1, rows - correction);
  for (let c: usize = 0; c < step; c += 4) {
    let sum: f64 = 0;
    const end = x + c + step * <usize>rows;
    for (let p = x + c; p < end; p += step) sum += load<f32>(p);
    const m = sum / count;
    let squares: f64 = 0;
    for (let p = x + c; p < end; p += step) {
      const d = <f64>load<f32>(p) - m;
      squares += d * d;
    }
    store<f32>(mean + c, <f32>m);
    store<f32>(inv + c, <f32>(1.0 / sqrt(squares / count + eps)));
    const oldMean = <f64>load<f32>(runningMean + c);
    const oldVariance = <f64>load<f32>(runningVariance + c);
    store<f32>(runningMean + c, <f32>(oldMean + momentum * (m - oldMean)));
    const variance = squares / divisor;
    store<f32>(runningVariance + c, <f32>(oldVariance + momentum * (variance - oldVariance)));
  }
}

/** y[r][c] = ((x[r][c] - mean[c])·inv[c])·gamma[c] + beta[c]. y may be x. */
// biome-ignore format: one line a role
export function batchNorm(
  y: usize, x: usize,
  mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32,
): void {
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < cols; c += 4) {
      const lanes = min(4, cols - c);
      const centred = f32x4.sub(loadLanes(x, lanes), lanesAt(mean, c, lanes));
      const h = f32x4.mul(centred, lanesAt(inv, c, lanes));
      const scaled = f32x4.mul(h, lanesAt(gamma, c, lanes));
      storeLanes(y, f32x4.add(scaled, lanesAt(beta, c, lanes)), lanes);
      x += (<usize>lanes) << 2;
      y += (<usize>lanes) << 2;
    }
  }
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
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < cols; c += 4) {
      const lanes = min(4, cols - c);
      const s = lanesAt(inv, c, lanes);
      const h = f32x4.mul(f32x4.sub(loadLanes(x, lanes), lanesAt(mean, c, lanes)), s);
      const a = f32x4.mul(lanesAt(dbeta, c, lanes), share);
      const b = f32x4.mul(lanesAt(dgamma, c, lanes), share);
      const inner = f32x4.sub(f32x4.sub(loadLanes(dy, lanes), a), f32x4.mul(h, b));
      storeLanes(dx, f32x4.mul(f32x4.mul(lanesAt(gamma, c, lanes), s), inner), lanes);
      const bytes = (<usize>lanes) << 2;
      x += bytes;
      dy += bytes;
      dx += bytes;
    }
  }
}
