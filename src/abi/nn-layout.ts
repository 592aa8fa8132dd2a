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
