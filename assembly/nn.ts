/**
 * The ABI of the nn module: vector math for training. Exports, nothing else;
 * src/runtime/kernels-nn.ts documents it.
 */
import {
  activate,
  activationGradient,
  LeakyRectifier,
  Rectifier,
  Sigmoid,
  Silu,
  Tanh,
} from './math/activation';
import { addBias, biasGradient } from './math/bias';
import { convolve, convolveInputGradient, convolveWeightGradient } from './math/conv';
import { dropElements } from './math/dropout';
import { lookUp, lookUpGradient } from './math/embedding';
import { gemm } from './math/gemm';
import { peak } from './math/gemm-kernel';
import { crossEntropy, firstGreatest, totalWeight } from './math/loss';
import { addScaled, addTo, copyTo, fillWith, multiplyTo, scaleBy } from './math/map';
import {
  affineGradient,
  batchNormInputGradient,
  columnStatistics,
  inverseDeviations,
  layerNormInputGradient,
  normalizeByColumn,
  normalizeByRow,
} from './math/norm';
import {
  Average,
  AverageGradient,
  averageImages,
  averageImagesGradient,
  Maximum,
  MaximumGradient,
  pool,
  poolGradient,
} from './math/pool';
import { largestMagnitude, Magnitude, Product, Square, sumTerms, Value } from './math/reduce';
import { elementLoss, Huber, logisticLoss, SquaredError } from './math/regression-loss';

export function fill(x: usize, n: i32, value: f32): void {
  fillWith(x, n, value);
}

export function copy(dst: usize, src: usize, n: i32): void {
  copyTo(dst, src, n);
}

export function scale(x: usize, n: i32, a: f32): void {
  scaleBy(x, n, a);
}

export function axpy(y: usize, x: usize, n: i32, a: f32): void {
  addScaled(y, x, n, a);
}

export function add(out: usize, a: usize, b: usize, n: i32): void {
  addTo(out, a, b, n);
}

export function mul(out: usize, a: usize, b: usize, n: i32): void {
  multiplyTo(out, a, b, n);
}

export function dot(x: usize, y: usize, n: i32): f64 {
  return sumTerms<Product>(x, y, n);
}

export function sum(x: usize, n: i32): f64 {
  return sumTerms<Value>(x, x, n);
}

export function absSum(x: usize, n: i32): f64 {
  return sumTerms<Magnitude>(x, x, n);
}

export function squareSum(x: usize, n: i32): f64 {
  return sumTerms<Square>(x, x, n);
}

export function maxAbs(x: usize, n: i32): f32 {
  return largestMagnitude(x, n);
}

export function gemmNN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, false);
}

export function gemmNT(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, false, true);
}

export function gemmTN(c: usize, a: usize, b: usize, m: i32, n: i32, k: i32, scratch: usize): void {
  gemm(c, a, b, m, n, k, scratch, true, false);
}

export function biasAdd(x: usize, bias: usize, rows: i32, cols: i32): void {
  addBias(x, bias, rows, cols);
}

export function biasGrad(db: usize, dy: usize, rows: i32, cols: i32): void {
  biasGradient(db, dy, rows, cols);
}

export function relu(out: usize, x: usize, n: i32): void {
  activate<Rectifier>(out, x, n, 0);
}

export function reluGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Rectifier>(dx, dy, out, n, 0);
}

export function leakyRelu(out: usize, x: usize, n: i32, slope: f32): void {
  activate<LeakyRectifier>(out, x, n, slope);
}

export function leakyReluGrad(dx: usize, dy: usize, out: usize, n: i32, slope: f32): void {
  activationGradient<LeakyRectifier>(dx, dy, out, n, slope);
}

export function tanh(out: usize, x: usize, n: i32): void {
  activate<Tanh>(out, x, n, 0);
}

export function tanhGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Tanh>(dx, dy, out, n, 0);
}

export function sigmoid(out: usize, x: usize, n: i32): void {
  activate<Sigmoid>(out, x, n, 0);
}

export function sigmoidGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  activationGradient<Sigmoid>(dx, dy, out, n, 0);
}

export function silu(out: usize, x: usize, n: i32): void {
  activate<Silu>(out, x, n, 0);
}

export function siluGrad(dx: usize, dy: usize, x: usize, n: i32): void {
  activationGradient<Silu>(dx, dy, x, n, 0);
}

// biome-ignore format: one line a role
export function dropout(
  out: usize, x: usize, n: i32, threshold: u32, scale: f32,
  key0: u32, key1: u32, stream: u32, step: u32,
): void {
  dropElements(out, x, n, threshold, scale, key0, key1, stream, step);
}

export function embedding(
  y: usize,
  indices: usize,
  table: usize,
  count: i32,
  rows: i32,
  dim: i32,
): void {
  lookUp(y, indices, table, count, rows, dim);
}

export function embeddingGrad(
  dtable: usize,
  dy: usize,
  indices: usize,
  count: i32,
  rows: i32,
  dim: i32,
): void {
  lookUpGradient(dtable, dy, indices, count, rows, dim);
}

export function conv2d(
  y: usize,
  x: usize,
  weight: usize,
  window: usize,
  count: i32,
  scratch: usize,
): void {
  convolve(y, x, weight, window, count, scratch);
}

export function conv2dInputGrad(
  dx: usize,
  dy: usize,
  weight: usize,
  window: usize,
  count: i32,
  scratch: usize,
): void {
  convolveInputGradient(dx, dy, weight, window, count, scratch);
}

export function conv2dWeightGrad(
  dw: usize,
  dy: usize,
  x: usize,
  window: usize,
  count: i32,
  scratch: usize,
): void {
  convolveWeightGradient(dw, dy, x, window, count, scratch);
}

export function maxPool2d(y: usize, index: usize, x: usize, window: usize, count: i32): void {
  pool<Maximum>(y, index, x, window, count);
}

export function maxPool2dGrad(dx: usize, dy: usize, index: usize, window: usize, count: i32): void {
  poolGradient<MaximumGradient>(dx, dy, index, window, count);
}

export function avgPool2d(y: usize, x: usize, window: usize, count: i32): void {
  pool<Average>(y, 0, x, window, count);
}

export function avgPool2dGrad(dx: usize, dy: usize, window: usize, count: i32): void {
  poolGradient<AverageGradient>(dx, dy, 0, window, count);
}

export function globalAvgPool(y: usize, x: usize, count: i32, pixels: i32, channels: i32): void {
  averageImages(y, x, count, pixels, channels);
}

export function globalAvgPoolGrad(
  dx: usize,
  dy: usize,
  count: i32,
  pixels: i32,
  channels: i32,
): void {
  averageImagesGradient(dx, dy, count, pixels, channels);
}

export function inverseDeviation(inv: usize, variance: usize, n: i32, eps: f64): void {
  inverseDeviations(inv, variance, n, eps);
}

// biome-ignore format: one line a role
export function batchStatistics(
  mean: usize, inv: usize, runningMean: usize, runningVariance: usize,
  x: usize, rows: i32, cols: i32, eps: f64, momentum: f64,
): void {
  columnStatistics(mean, inv, runningMean, runningVariance, x, rows, cols, eps, momentum);
}

// biome-ignore format: one line a role
export function batchNorm(
  y: usize, x: usize, mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32,
): void {
  normalizeByColumn(y, x, mean, inv, gamma, beta, rows, cols);
}

// biome-ignore format: one line a role
export function batchNormGrad(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  affineGradient(dgamma, dbeta, dy, x, mean, inv, rows, cols, false);
  if (dx) batchNormInputGradient(dx, dgamma, dbeta, dy, x, mean, inv, gamma, rows, cols);
}

// biome-ignore format: one line a role
export function layerNorm(
  y: usize, x: usize, mean: usize, inv: usize, gamma: usize, beta: usize,
  rows: i32, cols: i32, eps: f64,
): void {
  normalizeByRow(y, x, mean, inv, gamma, beta, rows, cols, eps);
}

// biome-ignore format: one line a role
export function layerNormGrad(
  dx: usize, dgamma: usize, dbeta: usize,
  dy: usize, x: usize, mean: usize, inv: usize, gamma: usize,
  rows: i32, cols: i32,
): void {
  affineGradient(dgamma, dbeta, dy, x, mean, inv, rows, cols, true);
  if (dx) layerNormInputGradient(dx, dy, x, mean, inv, gamma, rows, cols);
}

// biome-ignore format: one line a role
export function softmaxCrossEntropy(
  dlogits: usize, logits: usize, labels: usize, weights: usize,
  rows: i32, cols: i32, whole: f64,
): f64 {
  return crossEntropy(dlogits, logits, labels, weights, rows, cols, whole);
}

export function labelWeight(labels: usize, weights: usize, rows: i32, cols: i32): f64 {
  return totalWeight(labels, weights, rows, cols);
}

export function binaryCrossEntropy(dlogits: usize, logits: usize, targets: usize, n: i32): f64 {
  return logisticLoss(dlogits, logits, targets, n);
}

export function meanSquaredError(dx: usize, x: usize, targets: usize, n: i32): f64 {
  return elementLoss<SquaredError>(dx, x, targets, n, 0);
}

export function huber(dx: usize, x: usize, targets: usize, n: i32, delta: f64): f64 {
  return elementLoss<Huber>(dx, x, targets, n, delta);
}

export function argmax(out: usize, logits: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; ++r) {
    store<i32>(out + ((<usize>r) << 2), firstGreatest(logits, cols));
    logits += (<usize>cols) << 2;
  }
}

export function predictedMatches(logits: usize, labels: usize, rows: i32, cols: i32): i32 {
  let matches = 0;
  for (let r = 0; r < rows; ++r) {
    const predicted = firstGreatest(logits, cols);
    if (predicted >= 0 && predicted === load<i32>(labels + ((<usize>r) << 2))) ++matches;
    logits += (<usize>cols) << 2;
  }
  return matches;
}

export function peakMulAdd(iterations: i32): f32 {
  return peak(iterations);
}
