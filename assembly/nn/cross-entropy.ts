/** Softmax cross-entropy over dense rows of logits. */
import { log } from '../../src/math/log';
import { exp4 } from '../math/exp';
import { loadPartial, storePartial } from '../math/partial';

/**
 * Returns the sum over rows of w·(log Σ e^x - x[label]), divided by `whole`, and writes its
 * gradient to d. d may be x: each row is read before it is written. w is the label's weight in
 * `weights` (one f32 per class), or 1 if `weights` is 0.
 */
// biome-ignore format: one line a role
export function softmaxCrossEntropy(
  d: usize, x: usize, labels: usize, weights: usize, rows: i32, cols: i32, whole: f64,
): f64 {
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r) {
    const label = load<u32>(labels);
    const weight = weightOf(label, weights, cols);
    total += weight * crossEntropyRow(d, x, label, weight, whole, cols);
    labels += 4;
    d += (<usize>cols) << 2;
    x += (<usize>cols) << 2;
  }
  return total / whole;
}

/** Returns the weight of a label. A label that is no class weighs 1: its loss is NaN anyway. */
function weightOf(label: u32, weights: usize, cols: i32): f64 {
  return weights !== 0 && label < <u32>cols ? <f64>load<f32>(weights + ((<usize>label) << 2)) : 1.0;
}

/** Returns the sum of the labels' weights, in f64 over ascending rows. */
export function labelWeight(labels: usize, weights: usize, rows: i32, cols: i32): f64 {
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r)
    total += weightOf(load<u32>(labels + ((<usize>r) << 2)), weights, cols);
  return total;
}

/** Returns the unweighted loss of a row; writes its gradient times weight/whole. */
function crossEntropyRow(d: usize, x: usize, label: u32, weight: f64, whole: f64, cols: i32): f64 {
  const largest = rowMax(x, cols);
  // For a label that is no class, the loss and the gradient are NaN, which no step accepts, and
  // nothing outside the row is read or written.
  const known = label < <u32>cols;
  const own = (<usize>label) << 2;
  const z: f64 = known ? <f64>load<f32>(x + own) - <f64>largest : NaN;
  const sum = exponentials(d, x, largest, cols);
  const e: f64 = known ? load<f32>(d + own) : 0;
  scaleRow(d, cols, known ? <f32>(weight / (sum * whole)) : <f32>NaN);
  // p - 1 in f64: in f32 a confident row would lose the rest of its gradient.
  if (known) store<f32>(d + own, <f32>(((e / sum - 1.0) * weight) / whole));
  return log(sum) - z;
}

/** Returns the greatest x[j]. If there is a NaN, any element will do: the row's sum is NaN. */
function rowMax(x: usize, cols: i32): f32 {
  let largest = load<f32>(x);
  for (let j = 1; j < cols; ++j) {
    x += 4;
    const value = load<f32>(x);
    if (value > largest) largest = value;
  }
  return largest;
}

/** Writes d[j] = e^(x[j] - largest); returns their sum over ascending j, in f64. */
function exponentials(d: usize, x: usize, largest: f32, cols: i32): f64 {
  const m = f32x4.splat(largest);
  let sum: f64 = 0;
  for (; cols >= 4; cols -= 4) {
    const e = exp4(f32x4.sub(v128.load(x), m));
    v128.store(d, e);
    sum += f32x4.extract_lane(e, 0);
    sum += f32x4.extract_lane(e, 1);
    sum += f32x4.extract_lane(e, 2);
    sum += f32x4.extract_lane(e, 3);
    d += 16;
    x += 16;
  }
  if (cols > 0) {
    const e = exp4(f32x4.sub(loadPartial(x, cols), m));
    storePartial(d, e, cols);
    sum += f32x4.extract_lane(e, 0);
    if (cols > 1) sum += f32x4.extract_lane(e, 1);
    if (cols > 2) sum += f32x4.extract_lane(e, 2);
  }
  return sum;
}

/** d[j] = d[j]·a */
function scaleRow(d: usize, cols: i32, a: f32): void {
  const k = f32x4.splat(a);
  for (; cols >= 4; cols -= 4) {
    v128.store(d, f32x4.mul(v128.load(d), k));
    d += 16;
  }
  if (cols > 0) storePartial(d, f32x4.mul(loadPartial(d, cols), k), cols);
}
