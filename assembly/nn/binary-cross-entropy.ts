/** Binary cross-entropy on logits. */
import { log } from '../../src/math/log';
import { exp4 } from '../math/exp';
import { loadLanes } from '../math/partial';

/**
 * Returns the mean of max(x, 0) - x·t + log(1 + e^-|x|) over n elements; writes d[i] = (σ(x) -
 * t)/n. d may be x. A target outside [0, 1] makes the loss and its own gradient NaN.
 */
export function binaryCrossEntropy(d: usize, x: usize, t: usize, n: i32): f64 {
  let total: f64 = 0;
  const count = <f64>n;
  for (let i = 0; i < n; i += 4) {
    const width = min(4, n - i);
    const v = loadLanes(x, width);
    const e = exp4(f32x4.neg(f32x4.abs(v)));
    total += element(f32x4.extract_lane(v, 0), f32x4.extract_lane(e, 0), d, t, count);
    if (width > 1)
      total += element(f32x4.extract_lane(v, 1), f32x4.extract_lane(e, 1), d + 4, t + 4, count);
    if (width > 2)
      total += element(f32x4.extract_lane(v, 2), f32x4.extract_lane(e, 2), d + 8, t + 8, count);
    if (width > 3)
      total += element(f32x4.extract_lane(v, 3), f32x4.extract_lane(e, 3), d + 12, t + 12, count);
    x += 16;
    d += 16;
    t += 16;
  }
  return total / count;
}

/** Returns the loss of one element x, given e = e^-|x|, and writes its gradient. */
function element(x: f64, e: f64, d: usize, t: usize, count: f64): f64 {
  const sigma = (x < 0 ? e : 1.0) / (1.0 + e);
  const given = load<f32>(t);
  // Outside [0, 1] the loss has no lower bound, so that training on it would be meaningless.
  const target = given >= 0 && given <= 1 ? <f64>given : NaN;
  store<f32>(d, <f32>((sigma - target) / count));
  return (x < 0 ? 0.0 : x) - x * target + log(1.0 + e);
}

/**
 * The same with a weight w of the positive case, one f32 per column: the mean over rows × cols of
 * (1 - t)·x + (1 + (w - 1)·t)·(log(1 + e^-|x|) + max(-x, 0)).
 */
// biome-ignore format: one line a role
export function weightedBinaryCrossEntropy(
  d: usize, x: usize, t: usize, weights: usize, rows: i32, cols: i32,
): f64 {
  let total: f64 = 0;
  const n = rows * cols;
  const count = <f64>n;
  for (let i = 0; i < n; i += 4) {
    const width = min(4, n - i);
    const v = loadLanes(x, width);
    const e = exp4(f32x4.neg(f32x4.abs(v)));
    const e0 = f32x4.extract_lane(e, 0);
    total += weightedElement(f32x4.extract_lane(v, 0), e0, d, t, weights, i % cols, count);
    if (width > 1) {
      const e1 = f32x4.extract_lane(e, 1);
      const x1 = f32x4.extract_lane(v, 1);
      total += weightedElement(x1, e1, d + 4, t + 4, weights, (i + 1) % cols, count);
    }
    if (width > 2) {
      const e2 = f32x4.extract_lane(e, 2);
      const x2 = f32x4.extract_lane(v, 2);
      total += weightedElement(x2, e2, d + 8, t + 8, weights, (i + 2) % cols, count);
    }
    if (width > 3) {
      const e3 = f32x4.extract_lane(e, 3);
      const x3 = f32x4.extract_lane(v, 3);
      total += weightedElement(x3, e3, d + 12, t + 12, weights, (i + 3) % cols, count);
    }
    x += 16;
    d += 16;
    t += 16;
  }
  return total / count;
}

/** Returns the weighted loss of one element x, given e = e^-|x|, and writes its gradient. */
// biome-ignore format: one line a role
function weightedElement(
  x: f64, e: f64, d: usize, t: usize, weights: usize, column: i32, count: f64,
): f64 {
  const given = load<f32>(t);
  const target = given >= 0 && given <= 1 ? <f64>given : NaN;
  const weight = 1.0 + (<f64>load<f32>(weights + ((<usize>column) << 2)) - 1.0) * target;
  // σ(-x)
  const rest = (x < 0 ? 1.0 : e) / (1.0 + e);
  store<f32>(d, <f32>((1.0 - target - weight * rest) / count));
  return (1.0 - target) * x + weight * (log(1.0 + e) + (x < 0 ? -x : 0.0));
}
