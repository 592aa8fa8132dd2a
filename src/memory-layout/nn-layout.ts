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

// Window record: how a convolution or a pooling moves over an image. Images are height × width ×
// channels, row-major (NHWC), so that a pixel's channels are one run of floats: a patch is a few
// runs, and the result of the product is again an image.
export const WINDOW_IN_HEIGHT = 0; // all i32
export const WINDOW_IN_WIDTH = 4;
export const WINDOW_IN_CHANNELS = 8;
export const WINDOW_HEIGHT = 12; // of the kernel
export const WINDOW_WIDTH = 16;
export const WINDOW_STRIDE_Y = 20;
export const WINDOW_STRIDE_X = 24;
// rows of zeros above; below it is whatever the output's height needs
export const WINDOW_PAD_TOP = 28;
export const WINDOW_PAD_LEFT = 32;
export const WINDOW_OUT_HEIGHT = 36;
export const WINDOW_OUT_WIDTH = 40;
export const WINDOW_OUT_CHANNELS = 44;
export const WINDOW_SIZE = 64;

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

// Job record: a kernel's call whose work threads share (assembly/math/shared.ts). All words.
export const SHARED_OP = 0; // i32, one of SHARED_…
export const SHARED_TASKS = 4; // i32: parts that the work is cut into
export const SHARED_THREADS = 8; // i32
export const SHARED_SCRATCH = 12; // pointer: scratch of the first thread
export const SHARED_SCRATCH_STEP = 16; // bytes from one thread's to the next
export const SHARED_DONE = 20; // i32: of a weight gradient, groups summed in earlier phases
export const SHARED_OUT = 24; // pointers and numbers, as the kernel takes them
export const SHARED_IN = 28;
export const SHARED_WITH = 32;
// of products; the window (a pointer) of everything on images; rows to add a bias to
export const SHARED_M = 36;
export const SHARED_N = 40; // the count of images, or of elements, or the columns of a bias
export const SHARED_K = 44;
export const SHARED_SIZE = 64;

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
