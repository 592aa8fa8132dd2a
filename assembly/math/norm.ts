/**
 * Batch and layer normalisation. h = (x - mean)·inv is computed alike everywhere, in f32; sums are
 * f64, ascending. Rows are dense; batch normalisation has mean and inv a column, layer
 * normalisation a row.
 */
import { loadLanes, storeLanes } from './partial';

function lanesAt(p: usize, c: i32, lanes: i32): v128 {
  return loadLanes(p + ((<usize>c) << 2), lanes);
}

/** inv[i] = 1/√(variance[i] + eps), in f64, rounded once. */
export function inverseDeviations(inv: usize, variance: usize, n: i32, eps: f64): void {
  for (let i: usize = 0, end = (<usize>n) << 2; i < end; i += 4) {
    store<f32>(inv + i, <f32>(1.0 / sqrt(<f64>load<f32>(variance + i) + eps)));
  }
}

/**
 * mean[c] and inv[c] = 1/√(variance + eps) of the columns, the variance over rows, from the
 * unrounded mean. Moves the running figures by `momentum` towards mean and unbiased variance (over
 * rows - 1; over 1 for a single row).
 */
// biome-ignore format: one line a role
export function columnStatistics(
  mean: usize, inv: usize,
  runningMean: usize, runningVariance: usize,
  x: usize, rows: i32, cols: i32, eps: f64, momentum: f64,
): void {
  const step = (<usize>cols) << 2;
  const count = <f64>rows;
  const unbiased = <f64>max(1, rows - 1);
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
    store<f32>(runningVariance + c, <f32>(oldVariance + momentum * (squares / unbiased - oldVariance)));
  }
}

/** y[r][c] = ((x[r][c] - mean[c])·inv[c])·gamma[c] + beta[c]. y may be x. */
// biome-ignore format: one line a role
export function normalizeByColumn(
  y: usize, x: usize,
  mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32,
): void {
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < cols; c += 4) {
      const lanes = min(4, cols - c);
      const h = f32x4.mul(f32x4.sub(loadLanes(x, lanes), lanesAt(mean, c, lanes)), lanesAt(inv, c, lanes));
      storeLanes(y, f32x4.add(f32x4.mul(h, lanesAt(gamma, c, lanes)), lanesAt(beta, c, lanes)), lanes);
      x += (<usize>lanes) << 2;
      y += (<usize>lanes) << 2;
    }
  }
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

/**
 * dx = (gamma·inv)·((dy - dbeta/rows) - h·(dgamma/rows)), from what affineGradient gave. dx may be
 * dy.
 */
// biome-ignore format: one line a role
export function batchNormInputGradient(
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

/**
 * y[r][c] = h·gamma[c] + beta[c] with mean[r] and inv[r] of the row, which are kept. y may be x.
 */
// biome-ignore format: one line a role
export function normalizeByRow(
  y: usize, x: usize,
  mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, eps: f64,
): void {
  const step = (<usize>cols) << 2;
  for (let r = 0; r < rows; ++r) {
    let sum: f64 = 0;
    for (let c: usize = 0; c < step; c += 4) sum += load<f32>(x + c);
    const m = sum / <f64>cols;
    let squares: f64 = 0;
    for (let c: usize = 0; c < step; c += 4) {
      const d = <f64>load<f32>(x + c) - m;
      squares += d * d;
    }
    const center = <f32>m;
    const scale = <f32>(1.0 / sqrt(squares / <f64>cols + eps));
    store<f32>(mean, center);
    store<f32>(inv, scale);
    for (let c = 0; c < cols; c += 4) {
      const lanes = min(4, cols - c);
      const h = f32x4.mul(f32x4.sub(lanesAt(x, c, lanes), f32x4.splat(center)), f32x4.splat(scale));
      const value = f32x4.add(f32x4.mul(h, lanesAt(gamma, c, lanes)), lanesAt(beta, c, lanes));
      storeLanes(y + ((<usize>c) << 2), value, lanes);
    }
    x += step;
    y += step;
    mean += 4;
    inv += 4;
  }
}

/**
 * With g = dy·gamma: dx = inv·((g - mean of g) - h·(mean of g·h)), means over the row. dx may be
 * dy.
 */
// biome-ignore format: one line a role
export function layerNormInputGradient(
  dx: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  const step = (<usize>cols) << 2;
  for (let r = 0; r < rows; ++r) {
    const center = load<f32>(mean);
    const scale = load<f32>(inv);
    let sum: f64 = 0;
    let products: f64 = 0;
    for (let c: usize = 0; c < step; c += 4) {
      const g = load<f32>(dy + c) * load<f32>(gamma + c);
      const h = (load<f32>(x + c) - center) * scale;
      sum += g;
      products += <f64>g * <f64>h;
    }
    const a = f32x4.splat(<f32>(sum / <f64>cols));
    const b = f32x4.splat(<f32>(products / <f64>cols));
    for (let c = 0; c < cols; c += 4) {
      const lanes = min(4, cols - c);
      const g = f32x4.mul(lanesAt(dy, c, lanes), lanesAt(gamma, c, lanes));
      const h = f32x4.mul(f32x4.sub(lanesAt(x, c, lanes), f32x4.splat(center)), f32x4.splat(scale));
      const inner = f32x4.sub(f32x4.sub(g, a), f32x4.mul(h, b));
      storeLanes(dx + ((<usize>c) << 2), f32x4.mul(f32x4.splat(scale), inner), lanes);
    }
    x += step;
    dy += step;
    dx += step;
    mean += 4;
    inv += 4;
  }
}
