/** Softmax cross-entropy over dense rows of logits. */
import { log } from '../../src/math/log';
import { exponentials, rowMax, scaleRow } from '../math/softmax';

/**
 * Returns the sum over rows of w·(log Σ e^x - x[label]), divided by `whole`, and writes its
 * gradient to d. d may be x: each row is read before it is written. w is the label's weight in
 * `weights` (one f32 per class), or 1 if `weights` is 0. Rows whose label is `ignore` have neither
 * loss nor gradient; NaN ignores none.
 */
// biome-ignore format: one line a role
export function softmaxCrossEntropy(
  d: usize, x: usize, labels: usize, weights: usize, rows: i32, cols: i32, whole: f64, ignore: f64,
): f64 {
  const bytes = (<usize>cols) << 2;
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r) {
    const label = load<u32>(labels);
    if (isIgnored(label, ignore)) {
      memory.fill(d, 0, bytes);
    } else {
      const weight = weightOf(label, weights, cols);
      total += weight * crossEntropyRow(d, x, label, weight, whole, cols);
    }
    labels += 4;
    d += bytes;
    x += bytes;
  }
  return whole === 0 ? 0 : total / whole;
}

/**
 * The same with label smoothing: the sum over rows of Σ_j w_j·q_j·(log Σ e^x - x[j]), divided by
 * `whole`, where q_j is (1 - smoothing)·[j = label] + smoothing/cols.
 */
// biome-ignore format: one line a role
export function smoothCrossEntropy(
  d: usize, x: usize, labels: usize, weights: usize, rows: i32, cols: i32, whole: f64, ignore: f64,
  smoothing: f64,
): f64 {
  const bytes = (<usize>cols) << 2;
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r) {
    const label = load<u32>(labels);
    if (isIgnored(label, ignore)) memory.fill(d, 0, bytes);
    else total += distributionRow(d, x, 0, label, weights, whole, smoothing, cols);
    labels += 4;
    d += bytes;
    x += bytes;
  }
  return whole === 0 ? 0 : total / whole;
}

/**
 * The same for probabilities as targets: rows × cols floats in [0, 1]. Another target makes the
 * loss and its row of d NaN.
 */
// biome-ignore format: one line a role
export function categoricalCrossEntropy(
  d: usize, x: usize, targets: usize, weights: usize, rows: i32, cols: i32, smoothing: f64,
): f64 {
  const bytes = (<usize>cols) << 2;
  const whole = <f64>rows;
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r) {
    total += distributionRow(d, x, targets, 0, weights, whole, smoothing, cols);
    targets += bytes;
    d += bytes;
    x += bytes;
  }
  return total / whole;
}

function isIgnored(label: u32, ignore: f64): bool {
  return <f64>(<i32>label) === ignore;
}

/**
 * Returns the loss of a row against smoothed `targets`, or against its label if `targets` is 0;
 * writes its gradient over `whole`.
 */
// biome-ignore format: one line a role
function distributionRow(
  d: usize, x: usize, targets: usize, label: u32, weights: usize,
  whole: f64, smoothing: f64, cols: i32,
): f64 {
  const largest = rowMax(x, cols);
  let mass: f64 = 0;
  let product: f64 = 0;
  for (let j = 0; j < cols; ++j) {
    const a = shareOf(targets, label, weights, smoothing, j, cols);
    mass += a;
    // A class without a share may have a logit of -Infinity.
    if (a !== 0) product += a * (<f64>load<f32>(x + ((<usize>j) << 2)) - <f64>largest);
  }
  const sum = exponentials(d, x, largest, cols);
  for (let j = 0; j < cols; ++j) {
    const at = d + ((<usize>j) << 2);
    const a = shareOf(targets, label, weights, smoothing, j, cols);
    store<f32>(at, <f32>((mass * (<f64>load<f32>(at) / sum) - a) / whole));
  }
  return mass * log(sum) - product;
}

/** Returns the weighted share of class j in a row's smoothed target; NaN for a wrong target. */
// biome-ignore format: one line a role
function shareOf(
  targets: usize, label: u32, weights: usize, smoothing: f64, j: i32, cols: i32,
): f64 {
  let target: f64 = label < <u32>cols ? (label === <u32>j ? 1.0 : 0.0) : NaN;
  if (targets !== 0) {
    const given = load<f32>(targets + ((<usize>j) << 2));
    target = given >= 0 && given <= 1 ? <f64>given : NaN;
  }
  return weightOf(<u32>j, weights, cols) * ((1.0 - smoothing) * target + smoothing / <f64>cols);
}

/** Returns the weight of a label. A label that is no class weighs 1: its loss is NaN anyway. */
function weightOf(label: u32, weights: usize, cols: i32): f64 {
  return weights !== 0 && label < <u32>cols ? <f64>load<f32>(weights + ((<usize>label) << 2)) : 1.0;
}

/**
 * Returns the sum of the labels' weights, in f64 over ascending rows, without those that are
 * ignored.
 */
// biome-ignore format: one line a role
export function labelWeight(
  labels: usize, weights: usize, rows: i32, cols: i32, ignore: f64,
): f64 {
  let total: f64 = 0;
  for (let r = 0; r < rows; ++r) {
    const label = load<u32>(labels + ((<usize>r) << 2));
    if (!isIgnored(label, ignore)) total += weightOf(label, weights, cols);
  }
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
