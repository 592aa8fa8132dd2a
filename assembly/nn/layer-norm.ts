/** Layer normalisation: mean and inv per row. Sums are f64, over ascending columns. */
import { affineGradient, lanesAt } from '../math/norm';
import { storeLanes } from '../math/partial';

/**
 * y[r][c] = h·gamma[c] + beta[c]; writes mean[r] and inv[r] of each row for the gradient. y may be
 * x.
 */
// biome-ignore format: one line a role
export function layerNorm(
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

/** Computes dgamma and dbeta, and dx unless it is 0. */
// biome-ignore format: one line a role
export function layerNormGrad(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  affineGradient(dgamma, dbeta, dy, x, mean, inv, rows, cols, true);
  if (dx) inputGradient(dx, dy, x, mean, inv, gamma, rows, cols);
}

/**
 * With g = dy·gamma: dx = inv·((g - mean of g) - h·(mean of g·h)), means over the row. dx may be
 * dy.
 */
// biome-ignore format: one line a role
function inputGradient(
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
