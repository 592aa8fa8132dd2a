/**
 * The typed ABI of the nn module: what both binaries and the oracle offer, with the same bits.
 *
 * Arguments named x, y, a, b, c, out, … are addresses (byte offsets into linear memory) of f32 buffers, 64-byte aligned and
 * zero-padded to a multiple of 16 elements; n counts real elements. Matrices are dense and row-major. Element-wise functions
 * and reductions read padding and leave it zero; the others touch real elements only. Nothing is checked here: callers do.
 * Buffers may not overlap except where it is said that they may be the same.
 */
export interface NNKernels {
  /** x[i] = value */
  fill(x: number, n: number, value: number): void;
  /** dst[i] = src[i] */
  copy(dst: number, src: number, n: number): void;
  /** x[i] = x[i]·a */
  scale(x: number, n: number, a: number): void;
  /** y[i] = y[i] + a·x[i], the product rounded before it is added. x may be y. */
  axpy(y: number, x: number, n: number, a: number): void;
  /** out[i] = a[i] + b[i]. Any may be the same. */
  add(out: number, a: number, b: number, n: number): void;
  /** out[i] = a[i]·b[i]. Any may be the same. */
  mul(out: number, a: number, b: number, n: number): void;

  /** Σ x[i]·y[i] in f64, products exact. As all sums here: blocks of BLOCK elements with 16 accumulators, added in order. */
  dot(x: number, y: number, n: number): number;
  /** Σ x[i] in f64. */
  sum(x: number, n: number): number;
  /** Σ |x[i]| in f64. */
  absSum(x: number, n: number): number;
  /** Σ x[i]² in f64, squares exact. */
  squareSum(x: number, n: number): number;
  /** max |x[i]|, an f32; NaN if any is NaN, 0 for none. */
  maxAbs(x: number, n: number): number;

  /**
   * C = A·B: C of m×n, A of m×k, B of k×n. c_ij is one f32 accumulator over ascending k, from 0, each product rounded before
   * it is added. `scratch` is the 64-byte aligned address of gemmScratchBytes(m, n, k) bytes; C is neither A nor B.
   */
  gemmNN(c: number, a: number, b: number, m: number, n: number, k: number, scratch: number): void;
  /** C = A·Bᵀ: as gemmNN, with B of n×k. */
  gemmNT(c: number, a: number, b: number, m: number, n: number, k: number, scratch: number): void;
  /** C = Aᵀ·B: as gemmNN, with A of k×m. */
  gemmTN(c: number, a: number, b: number, m: number, n: number, k: number, scratch: number): void;

  /** x[r][c] = x[r][c] + bias[c] */
  biasAdd(x: number, bias: number, rows: number, cols: number): void;
  /** db[c] = Σ dy[r][c] in f64 over ascending r, rounded to f32 once. */
  biasGrad(db: number, dy: number, rows: number, cols: number): void;
  /** out[i] = x[i] < 0 ? 0 : x[i], so NaN and -0 pass. out may be x. */
  relu(out: number, x: number, n: number): void;
  /** dx[i] = out[i] > 0 ? dy[i] : 0, where `out` is what relu wrote. dx may be dy or out. */
  reluGrad(dx: number, dy: number, out: number, n: number): void;

  /**
   * Mean over rows of the cross-entropy log(Σ_j e^x_j) - x_label, an f64; dlogits = (softmax - onehot)/rows, its gradient.
   * `labels` is the address of one i32 a row; a label outside [0, cols) makes the loss NaN and writes nothing out of
   * place. rows and cols are at least 1. dlogits may be logits. A row with NaN or +Infinity gives NaN.
   */
  softmaxCrossEntropy(dlogits: number, logits: number, labels: number, rows: number, cols: number): number;
  /** out[r] (i32) = index of the first greatest element of row r, at least one column; the first NaN counts as greatest. */
  argmax(out: number, logits: number, rows: number, cols: number): void;
  /** How many rows have their label (i32) as argmax. */
  predictedMatches(logits: number, labels: number, rows: number, cols: number): number;

  /** Benchmarks only: 192 f32 operations an iteration in registers. The value depends on `iterations` alone. */
  peakMulAdd(iterations: number): number;
}
