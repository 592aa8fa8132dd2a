/**
 * What the nn kernels and their callers agree on beyond layout.ts: the blocking of gemm and the scratch memory it needs.
 * Portable: compiled by tsc and by asc (see layout.ts).
 */

/** Columns of C that one packed panel of B covers: 4 vectors, the width of the micro-kernel. */
export const GEMM_PANEL = 16;
/** Most k a block: one panel of B is then 16 KiB, half of the smallest L1 cache in use. 128 to 512 ran alike. */
export const GEMM_DEPTH = 256;
/** Most rows of C a block: the rows of A that go with it are then 256 KiB and stay in L2 while all panels pass by. 64 was 2% slower, 1024 no faster. */
export const GEMM_ROWS = 256;
/** Bytes of the scratch tile (2 rows of a panel) through which C's ragged edges are written. */
export const GEMM_TILE = 128;

/**
 * Bytes of scratch that gemmNN, gemmNT and gemmTN need for C of m×n and inner dimension k: the tile, a panel of B, a block of A.
 * Never more than 272.2 KiB, whatever the shape.
 */
export function gemmScratchBytes(m: number, _n: number, k: number): number {
  const rows = m < GEMM_ROWS ? m : GEMM_ROWS;
  const depth = k < GEMM_DEPTH ? k : GEMM_DEPTH;
  return GEMM_TILE + depth * 4 * (GEMM_PANEL + rows);
}

// Window record: how a convolution or a pooling moves over an image. Images are height × width × channels, row-major (NHWC),
// so that a pixel's channels are one run of floats: a patch is a few runs, and the result of the product is again an image.
export const WINDOW_IN_HEIGHT = 0; // all i32
export const WINDOW_IN_WIDTH = 4;
export const WINDOW_IN_CHANNELS = 8;
export const WINDOW_HEIGHT = 12; // of the kernel
export const WINDOW_WIDTH = 16;
export const WINDOW_STRIDE_Y = 20;
export const WINDOW_STRIDE_X = 24;
export const WINDOW_PAD_TOP = 28; // rows of zeros above; below it is whatever the output's height needs
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

/** Bytes of the patches of an image, with the slack that their copying may overwrite. */
export function convPatchBytes(positions: number, patch: number): number {
  return floatsBytes(positions * patch + 4);
}

/**
 * Bytes of scratch that conv2d and its gradients need: the patches of one image, one group's weight gradient, gemm's own.
 * @param positions out height × out width
 * @param patch window height × window width × in channels
 */
export function convScratchBytes(positions: number, patch: number, outChannels: number): number {
  let product = gemmScratchBytes(positions, outChannels, patch);
  const input = gemmScratchBytes(positions, patch, outChannels);
  const weight = gemmScratchBytes(outChannels, patch, positions);
  if (input > product) product = input;
  if (weight > product) product = weight;
  return convPatchBytes(positions, patch) + floatsBytes(outChannels * patch) + product;
}
