/**
 * What the nn kernels and their callers agree on beyond layout.ts: the blocking of products, the
 * scratch memory that kernels need, and the records of windows and of shared calls.
 * Portable: compiled by tsc and by asc (see layout.ts).
 */

/** Columns of C that one packed panel of B covers: 4 vectors, the width of the micro-kernel. */
export const GEMM_PANEL = 16;
/**
 * Most k a block: one panel of B is then 16 KiB, half of the smallest L1 cache in use. 128 to 512
 * ran alike.
 */
export const GEMM_DEPTH = 256;
/**
 * Most rows of C a block: the rows of A that go with it are then 256 KiB and stay in L2 while all
 * panels pass by. 64 was 2% slower, 1024 no faster.
 */
export const GEMM_ROWS = 256;
/** Bytes of the scratch tile (2 rows of a panel) through which C's ragged edges are written. */
export const GEMM_TILE = 128;

/**
 * Bytes of scratch that gemmNN, gemmNT and gemmTN need for C of m×n and inner dimension k: the
 * tile, a panel of B, a block of A. Never more than 272.2 KiB, whatever the shape.
 */
export function gemmScratchBytes(m: number, _n: number, k: number): number {
  const rows = m < GEMM_ROWS ? m : GEMM_ROWS;
  const depth = k < GEMM_DEPTH ? k : GEMM_DEPTH;
  return GEMM_TILE + depth * 4 * (GEMM_PANEL + rows);
}

/** Images whose weight gradients are one sum; the sums of such groups are added in their order. */
export const CONV_GROUP = 8;

/** The least multiple of ALIGNMENT that holds n f32. */
function floatsBytes(n: number): number {
  return 64 * Math.ceil(n / 16);
}

/**
 * Bytes of patches, or of a padded image, with the slack that copying by whole vectors may reach
 * into.
 */
export function convCopyBytes(floats: number): number {
  return floatsBytes(floats + 4);
}

/** Pixels along an axis of a padded image: all of the image, and whatever windows cover. */
export function paddedPixels(
  before: number,
  image: number,
  positions: number,
  stride: number,
  size: number,
): number {
  const covered = (positions - 1) * stride + size;
  return covered > before + image ? covered : before + image;
}

/**
 * Where threads share a weight gradient, each has room for so many sums of groups: with one alone
 * all would wait for the slowest core after every group.
 */
export const CONV_SUMS = 4;

/** Bytes of a weight gradient. */
export function convGradientBytes(patch: number, outChannels: number): number {
  return floatsBytes(outChannels * patch);
}

/** Where in a scratch of convolutions the sums of groups begin, bytes: after all else. */
export function convSumsOffset(
  padded: number,
  positions: number,
  patch: number,
  outChannels: number,
): number {
  let product = gemmScratchBytes(positions, outChannels, patch);
  const input = gemmScratchBytes(positions, patch, outChannels);
  const turns = patch < outChannels;
  const weight = gemmScratchBytes(
    turns ? patch : outChannels,
    turns ? outChannels : patch,
    positions,
  );
  if (input > product) product = input;
  if (weight > product) product = weight;
  const copies =
    convCopyBytes(padded) +
    convCopyBytes(positions * patch) +
    convGradientBytes(patch, outChannels);
  return copies + floatsBytes(product / 4);
}

/**
 * Bytes of scratch that conv2d and its gradients need: an image with its padding, its patches, the
 * transpose of a weight gradient, gemm's own, sums of groups.
 * @param padded padded height × padded width × in channels
 * @param positions out height × out width
 * @param patch window height × window width × in channels
 * @param sums 1; CONV_SUMS where threads share
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

// The kernels whose work threads share: SharedCallRecord.op.
export const SHARED_GEMM_NN = 1;
export const SHARED_GEMM_NT = 2;
export const SHARED_GEMM_TN = 3;
export const SHARED_CONV = 4;
export const SHARED_CONV_INPUT = 5;
export const SHARED_CONV_WEIGHT = 6;
export const SHARED_MAX_POOL = 7;
export const SHARED_MAX_POOL_GRAD = 8;
export const SHARED_RELU = 9;
export const SHARED_RELU_GRAD = 10;
export const SHARED_BIAS_ADD = 11;

/** Bytes from one thread's scratch to the next one's, for kernels that need `bytes`. */
export function scratchStep(bytes: number): number {
  return 64 * Math.ceil(bytes / 64);
}
