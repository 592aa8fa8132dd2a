/** The ABI of the nn module: vector math for training. Exports, nothing else; src/runtime/kernels-nn.ts documents it. */
import { addBias, biasGradient, rectify, rectifyGradient } from './math/activation';
import { gemm } from './math/gemm';
import { peak } from './math/gemm-kernel';
import { crossEntropy, firstGreatest } from './math/loss';
import { addScaled, addTo, copyTo, fillWith, multiplyTo, scaleBy } from './math/map';
import { largestMagnitude, Magnitude, Product, Square, sumTerms, Value } from './math/reduce';

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
  rectify(out, x, n);
}

export function reluGrad(dx: usize, dy: usize, out: usize, n: i32): void {
  rectifyGradient(dx, dy, out, n);
}

export function softmaxCrossEntropy(dlogits: usize, logits: usize, labels: usize, rows: i32, cols: i32): f64 {
  return crossEntropy(dlogits, logits, labels, rows, cols);
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
    if (firstGreatest(logits, cols) === load<i32>(labels + ((<usize>r) << 2))) ++matches;
    logits += (<usize>cols) << 2;
  }
  return matches;
}

export function peakMulAdd(iterations: i32): f32 {
  return peak(iterations);
}
