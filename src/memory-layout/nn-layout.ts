/**
 * Constants and sizes that the nn kernels share with their callers: the blocking of products, the
 * scratch memory that kernels need, and the kernels whose work threads share. Both tsc and asc
 * compile this file (see constants.ts).
 */
import { ALIGNMENT } from './constants';

/** Columns of C that one packed panel of B covers: 4 vectors, the width of the micro-kernel. */
export const GEMM_PANEL = 16;
/**
 * Largest k of a block: one panel of B is then 16 KiB, half of the smallest L1 cache in use. Values
 * from 128 to 512 were equally fast.
 */
export const GEMM_DEPTH = 256;
/**
 * Largest number of rows of C in a block: the rows of A that belong to it are then 256 KiB, and
 * stay in L2 over all panels. 64 was 2% slower, 1024 no faster.
 */
export const GEMM_ROWS = 256;
/** Bytes of the scratch tile, 2 rows of a panel, for the edges of C that fill no vector. */
export const GEMM_TILE = 128;

/**
 * Returns the bytes of scratch that gemmNN, gemmNT and gemmTN need for C of m×n and inner dimension
 * k: the tile, a panel of B, a block of A. At most 272.2 KiB for any shape.
 */
export function gemmScratchBytes(m: number, _n: number, k: number): number {
  const rows = m < GEMM_ROWS ? m : GEMM_ROWS;
  const depth = k < GEMM_DEPTH ? k : GEMM_DEPTH;
  return GEMM_TILE + depth * 4 * (GEMM_PANEL + rows);
}

/** Returns the largest scratch that any of the three products of a dense layer needs. */
export function denseScratchBytes(rows: number, units: number, inputs: number): number {
  return Math.max(
    gemmScratchBytes(rows, units, inputs),
    gemmScratchBytes(units, inputs, rows),
    gemmScratchBytes(rows, inputs, units),
  );
}

/** Images of a group, whose weight gradients are one sum; the sums of groups are added in order. */
export const CONV_GROUP = 8;

/** Returns the smallest multiple of ALIGNMENT that is at least `bytes`. */
export function alignedBytes(bytes: number): number {
  return ALIGNMENT * Math.ceil(bytes / ALIGNMENT);
}

/** Returns the smallest multiple of ALIGNMENT that holds n f32. */
export function floatsBytes(n: number): number {
  return alignedBytes(4 * n);
}

/**
 * Returns the bytes of patches, or of a padded image, with the slack that copies of whole vectors
 * may reach.
 */
export function convCopyBytes(floats: number): number {
  return floatsBytes(floats + 4);
}

/** Returns the pixels along an axis from the first of a window to its last. */
export function spannedPixels(size: number, dilation: number): number {
  return (size - 1) * dilation + 1;
}

/**
 * Returns the pixels along an axis of a padded image: all of the image and all that windows cover.
 * @param span pixels that a window spans, see spannedPixels
 */
export function paddedPixels(
  before: number,
  image: number,
  positions: number,
  stride: number,
  span: number,
): number {
  const covered = (positions - 1) * stride + span;
  return covered > before + image ? covered : before + image;
}

/**
 * Sums of groups that each thread has room for when threads share a weight gradient. With one sum,
 * all threads would wait for the slowest core after each group.
 */
export const CONV_SUMS = 4;

/** Returns the bytes of a weight gradient. */
export function convGradientBytes(patch: number, outChannels: number): number {
  return floatsBytes(outChannels * patch);
}

/** Returns n rounded up to whole panels. */
function panelled(n: number): number {
  return GEMM_PANEL * Math.ceil(n / GEMM_PANEL);
}

/** Returns the bytes of packed weights, for either product with them, or of their gradient. */
export function convWeightBytes(patch: number, outChannels: number): number {
  const forward = panelled(outChannels) * patch;
  const backward = panelled(patch) * outChannels;
  return floatsBytes(forward > backward ? forward : backward);
}

/** Returns the offset of the sums of groups in the scratch of a convolution, after all else. */
export function convSumsOffset(
  padded: number,
  positions: number,
  patch: number,
  outChannels: number,
): number {
  let product = gemmScratchBytes(positions, outChannels, patch);
  const input = gemmScratchBytes(positions, patch, outChannels);
  const turns = patch < outChannels;
  // Images without padding whose every pixel is a patch are multiplied as one, group by group.
  const depth = padded === positions * patch ? CONV_GROUP * positions : positions;
  const weight = gemmScratchBytes(turns ? patch : outChannels, turns ? outChannels : patch, depth);
  if (input > product) product = input;
  if (weight > product) product = weight;
  const copies =
    convCopyBytes(padded) + convCopyBytes(positions * patch) + convWeightBytes(patch, outChannels);
  return copies + floatsBytes(product / 4);
}

/**
 * Returns the bytes of scratch that conv2d and its gradients need: for an image with its padding,
 * its patches, packed weights or the transpose of their gradient, gemm, and sums of groups.
 * @param padded padded height × padded width × in channels
 * @param positions out height × out width
 * @param patch window height × window width × in channels
 * @param sums 1, or CONV_SUMS if threads share the call
 */
export function convScratchBytes(
  padded: number,
  positions: number,
  patch: number,
  outChannels: number,
  sums: number,
): number {
  return (
    convSumsOffset(padded, positions, patch, outChannels) +
    sums * convGradientBytes(patch, outChannels)
  );
}

/**
 * Returns the bytes of scratch that the products of an attention need; the kernels' own scratch
 * lies behind it.
 * @param steps the larger of queries and keys
 * @param dim the larger of keyDim and valueDim
 */
export function attentionProductBytes(steps: number, dim: number): number {
  return alignedBytes(gemmScratchBytes(steps, 0, steps > dim ? steps : dim));
}

/**
 * Returns the bytes of scratch that attention kernels need: for products, for queries, keys, values
 * and a gradient of one head, and for the gradients of its probabilities.
 */
export function attentionScratchBytes(
  queries: number,
  keys: number,
  keyDim: number,
  valueDim: number,
): number {
  const steps = queries > keys ? queries : keys;
  const dim = keyDim > valueDim ? keyDim : valueDim;
  return attentionProductBytes(steps, dim) + floatsBytes(5 * steps * dim + queries * keys);
}

/** Channels that a task of a depthwise weight gradient has: a cache line of each pixel. */
export const DEPTHWISE_CHANNELS = 16;

/** Returns the bytes of the table of a depthwise convolution: three words a row and column. */
export function depthwiseTableBytes(rows: number, columns: number): number {
  return floatsBytes(3 * (rows + columns));
}

/**
 * Returns the bytes of scratch that depthwiseConv2d and its gradients need: for the table, and for
 * an image with repeated channels.
 * @param rows rows of the input or output image, the greater number; so `columns`
 * @param repeated floats of an input image with every channel as often as the output has it, or 0
 * if the output has as many channels
 */
export function depthwiseScratchBytes(rows: number, columns: number, repeated: number): number {
  return depthwiseTableBytes(rows, columns) + floatsBytes(repeated);
}

// The kernels whose work threads share: SharedCallRecord.op.
export const SHARED_GEMM_NN = 1;
export const SHARED_GEMM_NT = 2;
export const SHARED_GEMM_TN = 3;
export const SHARED_CONV = 4;
export const SHARED_CONV_INPUT = 5;
export const SHARED_CONV_WEIGHT = 6;
export const SHARED_DEPTHWISE = 7;
export const SHARED_DEPTHWISE_INPUT = 8;
export const SHARED_DEPTHWISE_WEIGHT = 9;
export const SHARED_MAX_POOL = 10;
export const SHARED_MAX_POOL_GRAD = 11;
export const SHARED_RELU = 12;
export const SHARED_RELU_GRAD = 13;
export const SHARED_BIAS_ADD = 14;
