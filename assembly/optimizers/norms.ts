/**
 * The gradient norms of a step: each block's partial norms in the first phase; from them, in block
 * order, those of every tensor and of all; and r, the factor by which clipping makes them shorter.
 * Gradients themselves are only read.
 */
import {
  CLIP_L2,
  CLIP_MAX,
  CLIP_NONE,
  PARTIAL_CLAMPED,
  PARTIAL_CLIP,
  PARTIAL_SIZE,
  PARTIAL_SUM,
  STEP_CLIP_GLOBAL,
  STEP_CLIP_LIMIT,
  STEP_CLIP_NORM,
  STEP_CLIP_VALUE,
  STEP_PARTIALS,
  TENSOR_BLOCK_COUNT,
  TENSOR_CLIP,
  TENSOR_GRAD,
  TENSOR_NORM,
  TENSOR_SIZE,
} from '../layout';
import { clampTo } from '../math/map';
import { largestMagnitude, Magnitude, Square, sumBlock } from '../math/reduce';

/**
 * Writes the partial norms of elements [first, first + length) of a tensor's gradient. Scratch
 * holds the block, clamped.
 */
// biome-ignore format: addresses on one line
export function measureBlock(
  table: usize, tensor: usize, first: usize, length: usize, partial: usize, scratch: usize,
): void {
  let g: usize = load<u32>(tensor, TENSOR_GRAD) + (first << 2);
  let sum = sumBlock<Magnitude>(g, g, length << 2);
  store<f64>(partial, sum, PARTIAL_SUM);
  const limit = load<f32>(table, STEP_CLIP_VALUE);
  if (limit > 0) {
    clampTo(scratch, g, length, limit);
    g = scratch;
    sum = sumBlock<Magnitude>(g, g, length << 2);
  }
  store<f64>(partial, sum, PARTIAL_CLAMPED);
  const norm = load<i32>(table, STEP_CLIP_NORM);
  if (norm === CLIP_L2) sum = sumBlock<Square>(g, g, length << 2);
  else if (norm === CLIP_MAX) sum = largestMagnitude(g, <i32>length);
  store<f64>(partial, sum, PARTIAL_CLIP);
}

/** The norms of every tensor; returns Σ|g| over all, as the gradients are. */
export function sumNorms(table: usize, first: usize, end: usize): f64 {
  const largest = load<i32>(table, STEP_CLIP_NORM) === CLIP_MAX;
  let partial: usize = load<u32>(table, STEP_PARTIALS);
  let total: f64 = 0;
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    let sum: f64 = 0;
    let clamped: f64 = 0;
    let clip: f64 = 0;
    for (let left = load<u32>(tensor, TENSOR_BLOCK_COUNT); left > 0; left--) {
      sum += load<f64>(partial, PARTIAL_SUM);
      clamped += load<f64>(partial, PARTIAL_CLAMPED);
      clip = combine(largest, clip, load<f64>(partial, PARTIAL_CLIP));
      partial += PARTIAL_SIZE;
    }
    store<f64>(tensor, clamped, TENSOR_NORM);
    store<f64>(tensor, clip, TENSOR_CLIP);
    total += sum;
  }
  return total;
}

/** Puts r where the norm to clip by was, for every tensor; returns Σ r·S over all. */
export function clipNorms(table: usize, first: usize, end: usize): f64 {
  const kind = load<i32>(table, STEP_CLIP_NORM);
  const global = load<i32>(table, STEP_CLIP_GLOBAL);
  const limit = load<f64>(table, STEP_CLIP_LIMIT);
  let all: f64 = 0;
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE)
    all = combine(kind === CLIP_MAX, all, load<f64>(tensor, TENSOR_CLIP));
  let total: f64 = 0;
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    const own = global ? all : load<f64>(tensor, TENSOR_CLIP);
    const norm = kind === CLIP_L2 ? sqrt(own) : own;
    const r = kind !== CLIP_NONE && norm > limit ? limit / norm : 1.0;
    store<f64>(tensor, r, TENSOR_CLIP);
    total += r * load<f64>(tensor, TENSOR_NORM);
  }
  return total;
}

function combine(largest: bool, a: f64, b: f64): f64 {
  return largest ? max(a, b) : a + b;
}
