/**
 * Numbers that TypeScript and the kernels agree on: alignment, block sizes, and the codes of
 * statuses and phases. The records themselves are declared in *-records.js beside this file.
 *
 * This file is compiled twice: by tsc for the reference and the facade, by asc for the kernels. So
 * it keeps to what both languages share: integer constants, and functions from `number` to `number`
 * (f64 in AssemblyScript).
 *
 * Every tensor is aligned to ALIGNMENT and zero-padded to whole UNROLLs, so that no element-wise
 * loop has a tail.
 */

/** Alignment of every allocation, bytes: one cache line, and one turn of the unrolled loop. */
export const ALIGNMENT = 64;
/** f32 elements that one turn of an optimizer loop handles (4 vectors of 4 lanes). */
export const UNROLL = 16;
/**
 * f32 elements of a block, the unit of every reduction: one f64 partial sum each (32 KiB of
 * gradient: half an L2-resident working set).
 */
export const BLOCK = 8192;

/** Norms by which gradients may be clipped. */
export const CLIP_NONE = 0;
export const CLIP_L1 = 1;
export const CLIP_L2 = 2;
export const CLIP_MAX = 3;

/** Outcomes of a step. */
export const STATUS_DONE = 0;
export const STATUS_NON_FINITE = 1;
export const STATUS_OVERFLOW = 2;

/** Phases of a step. */
export const OP_NONE = 0;
export const OP_NORM = 1;
export const OP_UPDATE = 2;

/** Phases over one matrix, which follow where a kernel orthogonalises (orthogonalize.ts). */
export const OP_LOAD = 3;
export const OP_SQUARE = 4;
export const OP_POLYNOMIAL = 5;
export const OP_ITERATE = 6;
export const OP_MOVE = 7;
/** Newton–Schulz iterations. */
export const MATRIX_ITERATIONS = 5;
/** Rows of a matrix that one task computes; even. */
export const MATRIX_TASK_ROWS = 16;

/** Accepted steps of a tensor between flushes of its dying moments. */
export const FLUSH_INTERVAL = 16;

/** The state format that is no codec: float32 as it is. The build numbers the others from 1. */
export const FORMAT_F32 = 0;
/** Elements that share a scale, in formats with scales. */
export const SCALE_BLOCK = 256;
/** Scales are powers of two, 2^MIN_SCALE_EXPONENT at least and 2^MAX_SCALE_EXPONENT at most. */
export const MIN_SCALE_EXPONENT = -94;
export const MAX_SCALE_EXPONENT = 126;

/**
 * f32 elements that are staged at a time: decoded, updated and encoded again while in the innermost
 * cache.
 */
export const STAGE = 512;
/**
 * Bytes of scratch that each thread has: a block of clamped gradients, or a STAGE of gradients and
 * two of state.
 */
export const SCRATCH_SIZE = 32_768;

/** States of a worker thread. */
export const WORKER_STARTING = 0;
export const WORKER_READY = 1;
export const WORKER_EXITED = 2;
export const WORKER_FAILED = 3;
/** The worker was never ready: refused, not found, or unable to instantiate the module. */
export const WORKER_ABSENT = 4;
