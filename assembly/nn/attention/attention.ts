/**
 * Scaled dot-product attention (Vaswani et al. 2017) of one sample, head by head: each head's
 * columns are gathered into dense matrices, which gemm multiplies.
 */
import { AttentionRecord } from '../../../build/assembly/nn-records';
import { attentionProductBytes } from '../../../src/memory-layout/nn-layout';
import { exp4 } from '../../math/exp';
import { gemm, gemmPart } from '../../math/gemm';
import { loadLanes, storeLanes, zeroFloats } from '../../math/partial';
import { copyColumns } from '../element-wise';

/** Rows of scores that are computed at once where later keys have no part in them. */
const CAUSAL_ROWS = 32;

function bytesOf(rows: i32, columns: i32): usize {
  return (<usize>rows * <usize>columns) << 2;
}

/** Returns the address behind the scratch of products. */
function behindProducts(scratch: usize, a: AttentionRecord): usize {
  const steps = max(a.queries, a.keys);
  const dim = max(a.keyDim, a.valueDim);
  return scratch + <usize>attentionProductBytes(steps, dim);
}

/** 1/√keyDim */
function scaleOf(a: AttentionRecord): f32 {
  return <f32>(1.0 / sqrt<f64>(a.keyDim));
}

/** out[r][c] = factor·x[r][c]; rows of x begin `xStep` floats apart, those of out `outStep`. */
// biome-ignore format: one line a role
function scaleColumns(
  out: usize, outStep: i32, x: usize, xStep: i32, columns: i32, rows: i32, factor: f32,
): void {
  const k = f32x4.splat(factor);
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const at = (<usize>c) << 2;
      storeLanes(out + at, f32x4.mul(k, loadLanes(x + at, lanes)), lanes);
    }
    out += (<usize>outStep) << 2;
    x += (<usize>xStep) << 2;
  }
}

/** (0 + 1) + (2 + 3) */
function sumOf(low: v128, high: v128): f64 {
  return (
    f64x2.extract_lane(low, 0) +
    f64x2.extract_lane(low, 1) +
    (f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1))
  );
}

/** Writes the probabilities of every head: queries × keys, softmax(q·kᵀ/√keyDim) by rows. */
// biome-ignore format: one line a role
export function attentionScores(
  p: usize, q: usize, k: usize, mask: usize, record: usize, scratch: usize,
): void {
  const a = changetype<AttentionRecord>(record);
  const queries = a.queries;
  const keys = a.keys;
  const dim = a.keyDim;
  const width = a.heads * dim;
  const oneQ = behindProducts(scratch, a);
  const oneK = oneQ + bytesOf(queries, dim);
  const scale = scaleOf(a);
  for (let h = 0; h < a.heads; ++h) {
    scaleColumns(oneQ, dim, q, width, dim, queries, scale);
    copyColumns(oneK, dim, k, width, dim, keys);
    for (let top = 0, rows = a.causal ? CAUSAL_ROWS : queries; top < queries; top += rows) {
      const bottom = min(queries, top + rows);
      const right = a.causal ? min(keys, bottom) : keys;
      // biome-ignore format: one line a role
      gemmPart(
        p, oneQ, oneK, queries, keys, dim, top, bottom, 0, right, scratch, false, true,
      );
    }
    for (let r = 0; r < queries; ++r) {
      const most = a.causal ? min(keys, r + 1) : keys;
      softmaxRow(p, keys, a.maskFloats === 1 ? lengthOf(mask, most) : most, mask, a.maskFloats);
      p += bytesOf(1, keys);
    }
    q += bytesOf(1, dim);
    k += bytesOf(1, dim);
  }
}

/** Returns the number of keys before `most` that the length at `mask` leaves. */
function lengthOf(mask: usize, most: i32): i32 {
  const length = load<f32>(mask);
  return length >= <f32>most ? most : length > 0 ? <i32>ceil(length) : 0;
}

/**
 * Softmax over the first `limit` of `keys` scores at p, without those whose element of the mask is
 * 0; the rest becomes 0, and all of them where none is left.
 */
function softmaxRow(p: usize, keys: i32, limit: i32, mask: usize, maskFloats: i32): void {
  let open = limit;
  if (maskFloats > 1) {
    for (let j: usize = 0, end = bytesOf(1, limit); j < end; j += 4) {
      if (load<f32>(mask + j) !== 0) continue;
      store<f32>(p + j, -Infinity);
      open--;
    }
  }
  if (open <= 0) {
    zeroFloats(p, keys);
    return;
  }
  const whole = bytesOf(1, limit & ~3);
  const rest = limit & 3;
  const lowest = f32x4.splat(-Infinity);
  let m = lowest;
  for (let j: usize = 0; j < whole; j += 16) m = f32x4.pmax(m, v128.load(p + j));
  for (let j = whole, end = bytesOf(1, limit); j < end; j += 4)
    m = f32x4.pmax(m, v128.load32_splat(p + j));
  m = f32x4.pmax(m, v128.shuffle<i32>(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, v128.shuffle<i32>(m, m, 1, 0, 3, 2));
  // Four sums in f64: of the elements j ≡ 0, 1 and 2, 3 modulo 4.
  let low = f64x2.splat(0);
  let high = low;
  for (let j: usize = 0; j < whole; j += 16) {
    const e = exp4(f32x4.sub(v128.load(p + j), m));
    v128.store(p + j, e);
    low = f64x2.add(low, f64x2.promote_low_f32x4(e));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(e, e, 1, 1)));
  }
  if (rest) {
    storeLanes(p + whole, exp4(f32x4.sub(loadLanes(p + whole, rest), m)), rest);
    // Again, with zeros after the rest.
    const kept = loadLanes(p + whole, rest);
    low = f64x2.add(low, f64x2.promote_low_f32x4(kept));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(kept, kept, 1, 1)));
  }
  const factor = f32x4.splat(<f32>(1.0 / sumOf(low, high)));
  for (let j: usize = 0; j < whole; j += 16) v128.store(p + j, f32x4.mul(v128.load(p + j), factor));
  if (rest) storeLanes(p + whole, f32x4.mul(loadLanes(p + whole, rest), factor), rest);
  zeroFloats(p + bytesOf(1, limit), keys - limit);
}

/** Writes the values of every head side by side: p·v. */
// biome-ignore format: one line a role
export function attentionValues(
  out: usize, p: usize, v: usize, record: usize, scratch: usize,
): void {
  const a = changetype<AttentionRecord>(record);
  const queries = a.queries;
  const keys = a.keys;
  const dim = a.valueDim;
  const width = a.heads * dim;
  const oneV = behindProducts(scratch, a);
  const oneOut = oneV + bytesOf(keys, dim);
  for (let h = 0; h < a.heads; ++h) {
    copyColumns(oneV, dim, v, width, dim, keys);
    gemm(oneOut, p, oneV, queries, dim, keys, scratch, false, false);
    copyColumns(out, width, oneOut, dim, dim, queries);
    p += bytesOf(queries, keys);
    v += bytesOf(1, dim);
    out += bytesOf(1, dim);
  }
}

/** Computes dq, dk and dv from the gradient `d` of the values, head by head. */
// biome-ignore format: one line a role
export function attentionGrad(
  dq: usize, dk: usize, dv: usize, d: usize, p: usize, dropped: usize,
  q: usize, k: usize, v: usize, record: usize, scratch: usize,
): void {
  const a = changetype<AttentionRecord>(record);
  const queries = a.queries;
  const keys = a.keys;
  const keyDim = a.keyDim;
  const valueDim = a.valueDim;
  const keyWidth = a.heads * keyDim;
  const valueWidth = a.heads * valueDim;
  // Queries, keys, values, the gradient of values, a gradient that is to be written, and that of
  // the probabilities: the first four of one head have at most the size of four.
  const oneQ = behindProducts(scratch, a);
  const oneK = oneQ + bytesOf(queries, keyDim);
  const oneV = oneK + bytesOf(keys, keyDim);
  const oneD = oneV + bytesOf(keys, valueDim);
  const result = oneD + bytesOf(queries, valueDim);
  const dp = result + bytesOf(max(queries, keys), max(keyDim, valueDim));
  const scale = scaleOf(a);
  for (let h = 0; h < a.heads; ++h) {
    scaleColumns(oneQ, keyDim, q, keyWidth, keyDim, queries, scale);
    copyColumns(oneK, keyDim, k, keyWidth, keyDim, keys);
    copyColumns(oneV, valueDim, v, valueWidth, valueDim, keys);
    copyColumns(oneD, valueDim, d, valueWidth, valueDim, queries);
    gemm(result, dropped, oneD, keys, valueDim, queries, scratch, true, false);
    copyColumns(dv, valueWidth, result, valueDim, valueDim, keys);
    gemm(dp, oneD, oneV, queries, keys, valueDim, scratch, false, true);
    softmaxGradient(dp, p, dropped, queries, keys);
    gemm(result, dp, oneK, queries, keyDim, keys, scratch, false, false);
    scaleColumns(dq, keyWidth, result, keyDim, keyDim, queries, scale);
    gemm(result, dp, oneQ, keys, keyDim, queries, scratch, true, false);
    copyColumns(dk, keyWidth, result, keyDim, keyDim, keys);
    p += bytesOf(queries, keys);
    dropped += bytesOf(queries, keys);
    q += bytesOf(1, keyDim);
    k += bytesOf(1, keyDim);
    v += bytesOf(1, valueDim);
    d += bytesOf(1, valueDim);
    dq += bytesOf(1, keyDim);
    dk += bytesOf(1, keyDim);
    dv += bytesOf(1, valueDim);
  }
}

/**
 * dp[i] = t[i] - p[i]·Σ t with t = dp·dropped, row by row: the gradient by the scores, since p·dp
 * through dropout is dropped·dp.
 */
function softmaxGradient(dp: usize, p: usize, dropped: usize, rows: i32, columns: i32): void {
  const row = bytesOf(1, columns);
  for (let r = 0; r < rows; ++r) {
    let low = f64x2.splat(0);
    let high = low;
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const at = (<usize>c) << 2;
      const t = f32x4.mul(loadLanes(dp + at, lanes), loadLanes(dropped + at, lanes));
      storeLanes(dp + at, t, lanes);
      low = f64x2.add(low, f64x2.promote_low_f32x4(t));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(t, t, 1, 1)));
    }
    const sum = f32x4.splat(<f32>sumOf(low, high));
    for (let c = 0; c < columns; c += 4) {
      const lanes = min(4, columns - c);
      const at = (<usize>c) << 2;
      const product = f32x4.mul(loadLanes(p + at, lanes), sum);
      storeLanes(dp + at, f32x4.sub(loadLanes(dp + at, lanes), product), lanes);
    }
    dp += row;
    p += row;
    dropped += row;
  }
}
