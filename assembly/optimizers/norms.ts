/**
 * The gradient norms of a step. The first phase writes the partial norms of each block. Then the
 * partial norms are added in block order, for each tensor and over all, and r is computed, the
 * factor of clipping. Gradients are only read.
 */
import {
  PARTIAL_RECORD_SIZE,
  PartialRecord,
  StepRecord,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../build/assembly/optim-records';
import { CLIP_L2, CLIP_MAX, CLIP_NONE } from '../../src/memory-layout/constants';
import { clampTo } from '../math/map';
import { largestMagnitude, Magnitude, Square, sumBlock } from '../math/reduce';

/**
 * Writes the partial norms of elements [first, first + length) of a tensor's gradient. Scratch
 * holds the block, clamped.
 */
// biome-ignore format: addresses on one line
export function measureBlock(
  step: StepRecord, tensor: TensorRecord, first: usize, length: usize, partial: PartialRecord,
  scratch: usize,
): void {
  let g = tensor.grad + (first << 2);
  let sum = sumBlock<Magnitude>(g, length << 2);
  partial.sum = sum;
  const limit = step.clipValue;
  if (limit > 0) {
    clampTo(scratch, g, length, limit);
    g = scratch;
    sum = sumBlock<Magnitude>(g, length << 2);
  }
  partial.clamped = sum;
  const norm = step.clipNorm;
  if (norm === CLIP_L2) sum = sumBlock<Square>(g, length << 2);
  else if (norm === CLIP_MAX) sum = largestMagnitude(g, <i32>length);
  partial.clip = sum;
}

/** The norms of every tensor; returns Σ|g| over all, as the gradients are. */
export function sumNorms(step: StepRecord, first: usize, end: usize): f64 {
  const largest = step.clipNorm === CLIP_MAX;
  let at = step.partials;
  let total: f64 = 0;
  for (let address = first; address < end; address += TENSOR_RECORD_SIZE) {
    const tensor = changetype<TensorRecord>(address);
    let sum: f64 = 0;
    let clamped: f64 = 0;
    let clip: f64 = 0;
    for (let left = tensor.blockCount; left > 0; left--) {
      const partial = changetype<PartialRecord>(at);
      sum += partial.sum;
      clamped += partial.clamped;
      clip = largest ? max(clip, partial.clip) : clip + partial.clip;
      at += PARTIAL_RECORD_SIZE;
    }
    tensor.norm = clamped;
    tensor.clip = clip;
    total += sum;
  }
  return total;
}

/** Replaces the norm to clip by, of every tensor, by the factor r; returns Σ r·S over all. */
export function clipNorms(step: StepRecord, first: usize, end: usize): f64 {
  const kind = step.clipNorm;
  const global = step.clipGlobal;
  const limit = step.clipLimit;
  let all: f64 = 0;
  for (let at = first; at < end; at += TENSOR_RECORD_SIZE) {
    const clip = changetype<TensorRecord>(at).clip;
    all = kind === CLIP_MAX ? max(all, clip) : all + clip;
  }
  let total: f64 = 0;
  for (let at = first; at < end; at += TENSOR_RECORD_SIZE) {
    const tensor = changetype<TensorRecord>(at);
    const own = global ? all : tensor.clip;
    const norm = kind === CLIP_L2 ? sqrt(own) : own;
    const r = kind !== CLIP_NONE && norm > limit ? limit / norm : 1.0;
    tensor.clip = r;
    total += r * tensor.norm;
  }
  return total;
}
