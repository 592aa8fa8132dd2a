/** Softmax cross-entropy over dense rows of logits. */
import { log } from '../../src/math/log';
import { exp4 } from '../math/exp';
import { logPair } from '../math/log';
import { highPair, lowPair, rounded } from '../math/pairs';
import { exponentials, rowMax } from '../math/softmax';

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
  const shares = f64x2.splat(whole);
  let total: f64 = 0;
  for (; rows > 0; rows -= 4) {
    // Four rows at once; where there are fewer, the last one takes the other lanes too.
    const to1 = rows > 1 ? bytes : 0;
    const to2 = rows > 2 ? to1 + bytes : to1;
    const to3 = rows > 3 ? to2 + bytes : to2;
    let largest = loadColumn(x, to1, to2, to3);
    for (let j: usize = 4; j < bytes; j += 4)
      largest = f32x4.pmax(largest, loadColumn(x + j, to1, to2, to3));
    const own = ofLabels(x, bytes, labels, rows, cols);
    let sums01 = f64x2.splat(0);
    let sums23 = sums01;
    for (let j: usize = 0; j < bytes; j += 4) {
      const e = exp4(f32x4.sub(loadColumn(x + j, to1, to2, to3), largest));
      storeColumn(d + j, e, to1, to2, to3);
      sums01 = f64x2.add(sums01, lowPair(e));
      sums23 = f64x2.add(sums23, highPair(e));
    }
    const e = ofLabels(d, bytes, labels, rows, cols);
    let weight = f32x4.splat(1);
    if (weights !== 0) weight = ofLabels(weights, 0, labels, rows, cols);
    // NaN where e is NaN, so for labels that are no class.
    weight = f32x4.add(weight, f32x4.sub(e, e));
    const w01 = lowPair(weight);
    const w23 = highPair(weight);
    const scale01 = f64x2.div(w01, f64x2.mul(sums01, shares));
    const scale23 = f64x2.div(w23, f64x2.mul(sums23, shares));
    const scale = rounded(scale01, scale23);
    for (let j: usize = 0; j < bytes; j += 4) {
      const y = loadColumn(d + j, to1, to2, to3);
      storeColumn(d + j, f32x4.mul(y, scale), to1, to2, to3);
    }
    const g01 = gradientOf(lowPair(e), sums01, w01, shares);
    let g = rounded(g01, gradientOf(highPair(e), sums23, w23, shares));
    let losses = lossOf(sums01, lowPair(own), lowPair(largest), w01);
    const losses23 = lossOf(sums23, highPair(own), highPair(largest), w23);
    for (let row = 0; row < min(rows, 4); ++row) {
      const label = load<u32>(labels);
      if (isIgnored(label, ignore)) {
        memory.fill(d, 0, bytes);
      } else {
        if (label < <u32>cols) store<f32>(d + ((<usize>label) << 2), f32x4.extract_lane(g, 0));
        total += f64x2.extract_lane(losses, 0);
      }
      g = v128.shuffle<i32>(g, g, 1, 2, 3, 0);
      losses = row === 1 ? losses23 : v128.shuffle<i64>(losses, losses, 1, 1);
      labels += 4;
      d += bytes;
    }
    x += bytes << 2;
  }
  return whole === 0 ? 0 : total / whole;
}

/** Loads an element of four rows: those at x and at x + to1, x + to2, x + to3. */
function loadColumn(x: usize, to1: usize, to2: usize, to3: usize): v128 {
  const v01 = v128.load_lane<f32>(x + to1, v128.load32_zero(x), 1);
  return v128.load_lane<f32>(x + to3, v128.load_lane<f32>(x + to2, v01, 2), 3);
}

function storeColumn(x: usize, v: v128, to1: usize, to2: usize, to3: usize): void {
  store<f32>(x, f32x4.extract_lane(v, 0));
  store<f32>(x + to1, f32x4.extract_lane(v, 1));
  store<f32>(x + to2, f32x4.extract_lane(v, 2));
  store<f32>(x + to3, f32x4.extract_lane(v, 3));
}

/**
 * Returns the element at its label of four rows, `step` bytes apart, or of all `rows` and then of
 * the last one; NaN where the label is no class.
 */
function ofLabels(x: usize, step: usize, labels: usize, rows: i32, cols: i32): v128 {
  let v = f32x4.splat(0);
  for (let lane = 1; lane <= 4; ++lane) {
    const label = load<u32>(labels);
    const own = label < <u32>cols ? load<f32>(x + ((<usize>label) << 2)) : <f32>NaN;
    v = v128.shuffle<i32>(v, f32x4.splat(own), 1, 2, 3, 4);
    if (lane < rows) {
      labels += 4;
      x += step;
    }
  }
  return v;
}

/** ((e/sum - 1)·weight)/whole: p - 1 in f64, as in f32 a confident row would lose the rest. */
function gradientOf(e: v128, sum: v128, weight: v128, whole: v128): v128 {
  const rest = f64x2.sub(f64x2.div(e, sum), f64x2.splat(1));
  return f64x2.div(f64x2.mul(rest, weight), whole);
}

/** weight·(log sum - (own - largest)) */
function lossOf(sum: v128, own: v128, largest: v128, weight: v128): v128 {
  return f64x2.mul(weight, f64x2.sub(logPair(sum), f64x2.sub(own, largest)));
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
