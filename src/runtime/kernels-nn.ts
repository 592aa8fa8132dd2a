/**
 * The typed ABI of the nn module: what both binaries and the oracle offer, with the same bits.
 *
 * Arguments named x, y, a, b, c, out, … are addresses (byte offsets into linear memory) of f32
 * buffers, 64-byte aligned and zero-padded to a multiple of 16 elements; n counts real elements.
 * Matrices are dense and row-major. Element-wise functions and reductions read padding and leave it
 * zero; the others touch real elements only. Nothing is checked here: callers do. Buffers may not
 * overlap except where it is said that they may be the same.
 */
export interface NNKernels {
  /**
   * Threads that may share a call: `scratch` is then so many times as long, each part a multiple of
   * 64 bytes.
   * @default 1
   */
  readonly threads?: number;

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

  /**
   * Σ x[i]·y[i] in f64, products exact. As all sums here: blocks of BLOCK elements with 16
   * accumulators, added in order.
   */
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
   * C = A·B: C of m×n, A of m×k, B of k×n. c_ij is one f32 accumulator over ascending k, from 0,
   * each product rounded before it is added. `scratch` is the 64-byte aligned address of
   * gemmScratchBytes(m, n, k) bytes; C is neither A nor B.
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
  /**
   * out[i] = x[i] < 0 ? 0 : x[i], so NaN and -0 pass. In all activations out may be x, and dx may
   * be dy or the third.
   */
  relu(out: number, x: number, n: number): void;
  /** dx[i] = out[i] > 0 ? dy[i] : 0, where `out` is what relu wrote. */
  reluGrad(dx: number, dy: number, out: number, n: number): void;
  /** out[i] = x[i] < 0 ? slope·x[i] : x[i], slope ≥ 0. */
  leakyRelu(out: number, x: number, n: number, slope: number): void;
  /** dx[i] = out[i] > 0 ? dy[i] : slope·dy[i]. */
  leakyReluGrad(dx: number, dy: number, out: number, n: number, slope: number): void;
  /** tanh x to 3 ulp; NaN passes, ±0 stays. */
  tanh(out: number, x: number, n: number): void;
  /** dx[i] = dy[i]·(1 - out[i]²). */
  tanhGrad(dx: number, dy: number, out: number, n: number): void;
  /** 1/(1 + e^-x) to 3 ulp, 0 below -87.33654; NaN passes. */
  sigmoid(out: number, x: number, n: number): void;
  /** dx[i] = dy[i]·(out[i]·(1 - out[i])). */
  sigmoidGrad(dx: number, dy: number, out: number, n: number): void;
  /** out[i] = x[i]·σ(x[i]). */
  silu(out: number, x: number, n: number): void;
  /** dx[i] = dy[i]·(σ·(1 + x[i]·(1 - σ))), where `x` is what silu read. */
  siluGrad(dx: number, dy: number, x: number, n: number): void;
  /**
   * out[i] = word(i) < threshold ? 0 : x[i]·scale, with word(i) the random u32 that (key, stream,
   * step, i) determine: the same call on gradients is the backward pass. out may be x.
   */
  // biome-ignore format: one line a role
  dropout(
    out: number, x: number, n: number, threshold: number, scale: number,
    key0: number, key1: number, stream: number, step: number,
  ): void;

  /**
   * y[i][…] = table[indices[i]][…]: count indices, whole numbers as f32; a table of rows × dim. No
   * such row gives NaN.
   */
  embedding(
    y: number,
    indices: number,
    table: number,
    count: number,
    rows: number,
    dim: number,
  ): void;
  /**
   * dtable[row] = Σ dy[i] in f32 over ascending i with indices[i] = row; indices that name no row
   * add nothing.
   */
  embeddingGrad(
    dtable: number,
    dy: number,
    indices: number,
    count: number,
    rows: number,
    dim: number,
  ): void;

  /**
   * y = W ∗ x for `count` images of height × width × channels, as the window record says
   * (abi/nn-layout.ts). W is [out channels] [rows][columns][in channels]. A sum is one f32
   * accumulator over a weight row, ascending. `scratch`: convScratchBytes.
   */
  conv2d(
    y: number,
    x: number,
    weight: number,
    window: number,
    count: number,
    scratch: number,
  ): void;
  /** dx of conv2d. */
  conv2dInputGrad(
    dx: number,
    dy: number,
    weight: number,
    window: number,
    count: number,
    scratch: number,
  ): void;
  /**
   * dW of conv2d: one f32 accumulator over every CONV_GROUP images; the groups' sums added in
   * order.
   */
  conv2dWeightGrad(
    dw: number,
    dy: number,
    x: number,
    window: number,
    count: number,
    scratch: number,
  ): void;
  /**
   * y = the greatest of each window (the first of equals; NaN if there is one); `index`, unless 0:
   * its place there (i32).
   */
  maxPool2d(y: number, index: number, x: number, window: number, count: number): void;
  maxPool2dGrad(dx: number, dy: number, index: number, window: number, count: number): void;
  /** y = f32 sum over each window, in its order, times f32(1/size). */
  avgPool2d(y: number, x: number, window: number, count: number): void;
  avgPool2dGrad(dx: number, dy: number, window: number, count: number): void;
  /** y[c] = mean over an image's pixels, in f64, ascending. */
  globalAvgPool(y: number, x: number, count: number, pixels: number, channels: number): void;
  globalAvgPoolGrad(dx: number, dy: number, count: number, pixels: number, channels: number): void;

  /** inv[i] = 1/√(variance[i] + eps). */
  inverseDeviation(inv: number, variance: number, n: number, eps: number): void;
  /**
   * mean[c], inv[c] = 1/√(variance + eps) of the columns of x, in f64 over ascending rows; the
   * running figures move by `momentum` towards the mean and the unbiased variance.
   */
  // biome-ignore format: one line a role
  batchStatistics(
    mean: number, inv: number, runningMean: number, runningVariance: number,
    x: number, rows: number, cols: number, eps: number, momentum: number,
  ): void;
  /** y = ((x - mean[c])·inv[c])·gamma[c] + beta[c]. y may be x. */
  // biome-ignore format: one line a role
  batchNorm(
    y: number, x: number, mean: number, inv: number, gamma: number, beta: number,
    rows: number, cols: number,
  ): void;
  /** Gradients through batchStatistics and batchNorm; dx may be dy, or 0 when it is not wanted. */
  // biome-ignore format: one line a role
  batchNormGrad(
    dx: number, dgamma: number, dbeta: number,
    dy: number, x: number, mean: number, inv: number, gamma: number,
    rows: number, cols: number,
  ): void;
  /** The same over each row; mean[r] and inv[r] are written for layerNormGrad. y may be x. */
  // biome-ignore format: one line a role
  layerNorm(
    y: number, x: number, mean: number, inv: number, gamma: number, beta: number,
    rows: number, cols: number, eps: number,
  ): void;
  /** dx may be dy, or 0 when it is not wanted. */
  // biome-ignore format: one line a role
  layerNormGrad(
    dx: number, dgamma: number, dbeta: number,
    dy: number, x: number, mean: number, inv: number, gamma: number,
    rows: number, cols: number,
  ): void;

  /**
   * Sum over rows of the cross-entropy log(Σ_j e^x_j) - x_label, each times its label's weight,
   * divided by `whole`: an f64. dlogits is its gradient, (softmax - onehot)·weight/whole, and may
   * be logits. `labels` is the address of one i32 a row, `weights` that of one f32 a class, or 0 if
   * all weigh 1. With `whole` = rows it is a mean over rows, with `whole` = `labelWeight` a
   * weighted mean. rows and cols are at least 1. A row with NaN or +Infinity gives NaN. A label
   * outside [0, cols) makes the loss and its row of dlogits NaN, and writes nothing out of place.
   */
  // biome-ignore format: one line a role
  softmaxCrossEntropy(
    dlogits: number, logits: number, labels: number, weights: number,
    rows: number, cols: number, whole: number,
  ): number;
  /** Sum of the labels' weights over rows, an f64; a label outside [0, cols) counts 1. */
  labelWeight(labels: number, weights: number, rows: number, cols: number): number;
  /**
   * Mean of max(x, 0) - x·t + log(1 + e^-|x|) over n logits and targets t in [0, 1]; dlogits its
   * gradient; may be logits. A target outside [0, 1] makes the loss and its own gradient NaN.
   */
  binaryCrossEntropy(dlogits: number, logits: number, targets: number, n: number): number;
  /** Mean of (x - t)²; dx its gradient; may be x. */
  meanSquaredError(dx: number, x: number, targets: number, n: number): number;
  /**
   * Mean of ½r² for |r| ≤ delta, delta·(|r| - ½delta) beyond, r = x - t; dx its gradient; may be x.
   */
  huber(dx: number, x: number, targets: number, n: number, delta: number): number;
  /**
   * out[r] (i32) = index of the first greatest element of row r, at least one column; -1 if the row
   * holds a NaN.
   */
  argmax(out: number, logits: number, rows: number, cols: number): void;
  /** How many rows have their label (i32) as argmax. A row that holds a NaN has none. */
  predictedMatches(logits: number, labels: number, rows: number, cols: number): number;

  /**
   * Benchmarks only: 192 f32 operations an iteration in registers. The value depends on
   * `iterations` alone.
   */
  peakMulAdd(iterations: number): number;
}

/**
 * The same with the job protocol, by way of the control block at `control`; `record` is a job
 * record (abi/nn-layout.ts).
 */
export interface ThreadedNNKernels extends NNKernels {
  /** Begins a call and works on it; truthy when it is finished, else go on with `nnComplete`. */
  nnShared(control: number, record: number, spins: number, timeout: bigint): number;
  /** Goes on with the call under way; truthy when it is finished. */
  nnComplete(control: number, spins: number, timeout: bigint): number;
  /** Begins a call without working on it. */
  nnBegin(control: number, record: number): void;
  /** Does up to `most` tasks of the call under way; 0 when there is nothing to do now. */
  nnHelp(control: number, most: number): number;
  /** The loop of worker `thread`, 1 and up. */
  nnServe(control: number, spins: number, thread: number): void;
}
