/**
 * The byte layout of everything that TypeScript and the kernels both read in linear memory.
 *
 * This folder is compiled twice: by tsc for the oracle and the facade, by asc for the kernels. So
 * its files keep to what both languages share: integer constants, and functions from `number` to
 * `number` (f64 in AssemblyScript).
 *
 * All offsets are in bytes. Pointers are u32 byte addresses; every tensor is aligned to ALIGNMENT
 * and zero-padded to whole UNROLLs, so that no element-wise loop has a tail.
 */

/** Alignment of every allocation, bytes: one cache line, and one turn of the unrolled loop. */
export const ALIGNMENT = 64;
/** f32 elements that one turn of an optimizer loop handles (4 vectors of 4 lanes). */
export const UNROLL = 16;
/**
 * f32 elements a block: the unit of every reduction, one f64 partial each (32 KiB of gradient: half
 * an L2-resident working set).
 */
export const BLOCK = 8192;

// Step table: what one optimizer's step reads, one per optimizer.
//   ┌ header ┐ → tensor descriptors → group records → blocks → tasks → partials
export const STEP_RULE = 0; // i32, one of RULE_…
export const STEP_TENSORS = 4; // pointer to the first tensor descriptor
export const STEP_TENSOR_COUNT = 8;
export const STEP_BLOCKS = 12; // pointer to the block list
export const STEP_BLOCK_COUNT = 16;
export const STEP_TASKS = 20; // pointer to the task list: task count + 1 block indices, u32
export const STEP_TASK_COUNT = 24;
export const STEP_PARTIALS = 28; // pointer to one record of partial norms a block
// i32: 1 when every tensor is scaled by the norm over all of them
export const STEP_GLOBAL_NORM = 32;
export const STEP_STATUS = 36; // i32, out: one of STATUS_…
export const STEP_GRAD_NORM = 40; // f64, out: Σ|g| over all tensors of the table
// out: pointer to the tensor descriptor that caused STATUS_OVERFLOW
export const STEP_OFFENDER = 48;
export const STEP_SCRATCH = 64; // pointer to SCRATCH_SIZE bytes a thread; 0 when nothing is staged
export const STEP_CLIP_VALUE = 68; // f32: gradients count as clamped to ±this; 0: as they are
export const STEP_CLIP_NORM = 72; // i32, one of CLIP_…: which norm of the gradient is bounded
export const STEP_CLIP_GLOBAL = 76; // i32: 1 for one norm over all tensors, 0 for each tensor's own
export const STEP_CLIP_LIMIT = 80; // f64: by what
// f64: S counts as at most this times its running mean; 0: as it is (AdaL alone)
export const STEP_NORM_RATIO = 88;
export const STEP_SIZE = 128;

// Norms by which gradients may be clipped.
export const CLIP_NONE = 0;
export const CLIP_L1 = 1;
export const CLIP_L2 = 2;
export const CLIP_MAX = 3;

export const STATUS_DONE = 0;
export const STATUS_NON_FINITE = 1;
export const STATUS_OVERFLOW = 2;

export const RULE_ADAL = 0;
export const RULE_SGD = 1;
export const RULE_SGD_MOMENTUM = 2;
export const RULE_ADAGRAD = 3;
export const RULE_RMSPROP = 4;
export const RULE_RMSPROP_MOMENTUM = 5;
export const RULE_RMSPROP_CENTERED = 6;
export const RULE_RMSPROP_CENTERED_MOMENTUM = 7;
export const RULE_ADAM = 8;
export const RULE_AMSGRAD = 9;
export const RULE_NADAM = 10;
export const RULE_RADAM = 11;
export const RULE_ADABELIEF = 12;
export const RULE_ADABOUND = 13;
export const RULE_LION = 14;
export const RULE_SCHEDULE_FREE = 15;

// Phases of a step.
export const OP_NONE = 0;
export const OP_NORM = 1;
export const OP_UPDATE = 2;

/** Accepted steps of a tensor between flushes of its dying moments. */
export const FLUSH_INTERVAL = 16;

// Tensor descriptor: pointers, the tensor's own counters, and the broadcast constants of its next
// update. V and e are the tensor's own also under a global norm: a tensor that was frozen for a
// while comes back with the scale its state has.
export const TENSOR_PARAM = 0; // pointers to f32 data
export const TENSOR_GRAD = 4;
export const TENSOR_STATE0 = 8;
export const TENSOR_STATE1 = 12;
export const TENSOR_STATE2 = 16;
export const TENSOR_GROUP = 20; // pointer to the group record
export const TENSOR_BLOCK_COUNT = 24; // u32: how many consecutive entries of the block list are this tensor's
export const TENSOR_STEP = 28; // i32: accepted steps of this tensor (t)
export const TENSOR_EXPONENT = 32; // i32: e, the scale of m' and v'
export const TENSOR_NEXT_EXPONENT = 36; // i32: en, not yet accepted
export const TENSOR_FLUSH = 40; // i32: 1 when this update is followed by the flush
export const TENSOR_LENGTH = 44; // u32: elements, without padding
export const TENSOR_BETA1_POWER = 48; // f64: β1^t by repeated product
export const TENSOR_BETA2_POWER = 56; // f64: β2^t
export const TENSOR_V = 64; // f64: the rule's own scalar; AdaL's is V, the running mean of S⁴
export const TENSOR_NEXT_V = 72; // f64: the same, not yet accepted
// f64, out: Σ|g| of this tensor, of the clamped gradient where it is clamped
export const TENSOR_NORM = 80;
export const TENSOR_FORMAT = 88; // i32, one of FORMAT_…: how the first two state arrays are kept
export const TENSOR_SEED = 92; // u32: of the random numbers that round its compact state
export const TENSOR_SCALES0 = 96; // pointers to one f32 a SCALE_BLOCK (FORMAT_8BIT)
export const TENSOR_SCALES1 = 100;
// f64, out: the norm to clip by, then r, by which the gradient is multiplied
export const TENSOR_CLIP = 104;
// f64: A, the running mean of S for STEP_NORM_RATIO; 0 before the first step
export const TENSOR_NORM_MEAN = 112;
export const TENSOR_NEXT_NORM_MEAN = 120; // f64: the same, not yet accepted
/** Constants that a rule may take. */
export const CONSTANT_COUNT = 12;
// CONSTANT_COUNT f32, the rule's constants in the order of its `apply`
export const TENSOR_CONSTANTS = 128;
export const TENSOR_SIZE = 192;

// How a tensor keeps its first two state arrays: as f32, as bf16, or as a byte an element with a
// scale a block.
export const FORMAT_F32 = 0;
export const FORMAT_BF16 = 1;
export const FORMAT_8BIT = 2;
/** Elements that share a scale. */
export const SCALE_BLOCK = 256;

/**
 * f32 elements that are staged at a time: decoded, updated and encoded again while in the innermost
 * cache.
 */
export const STAGE = 512;
/**
 * Bytes of scratch a thread: a block of clamped gradients, or a STAGE of gradients and two of
 * state.
 */
export const SCRATCH_SIZE = 32_768;

// Group record: hyperparameters, all f64.
export const GROUP_STEP_SIZE = 0; // a: lr(t), with the built-in decay folded in
export const GROUP_BETA1 = 8;
export const GROUP_BETA2 = 16;
export const GROUP_EPS = 24;
export const GROUP_WEIGHT_DECAY = 32;
// a tensor with Σ|g| at or above it refuses the step, whose numbers could overflow
export const GROUP_NORM_LIMIT = 40;
export const GROUP_SIZE = 64;

// Partial norms of a block of gradients.
export const PARTIAL_SUM = 0; // f64: Σ|g|
export const PARTIAL_CLAMPED = 8; // f64: the same of the clamped gradient
export const PARTIAL_CLIP = 16; // f64: Σg² or max|g| of it, as STEP_CLIP_NORM asks
export const PARTIAL_SIZE = 24;

// Block: a run of at most BLOCK elements of one tensor.
export const BLOCK_TENSOR = 0; // pointer to the tensor descriptor
export const BLOCK_FIRST = 4; // u32: index of its first element
export const BLOCK_LENGTH = 8; // u32: elements, a multiple of UNROLL
export const BLOCK_SIZE = 16;

// Control block of the job protocol (assembly/jobs.ts). What different threads write lies on
// different cache lines.
export const JOB_GENERATION = 0; // i32: workers wait on this word
export const JOB_PARKED = 4; // i32: workers that wait now
export const JOB_STOP = 8; // i32: 1 asks the workers to return
export const JOB_TICKET = 64; // u64: generation << 32 | next task
export const JOB_LIMIT = 128; // u64: generation << 32 | task count
export const JOB_OP = 136; // i32: what a task does
export const JOB_ARG = 140; // pointer to what it does it with
export const JOB_DONE = 192; // u64: generation << 32 | tasks done
// i32: the caller waits on this word; counts phases begun and jobs finished
export const JOB_EVENT = 256;
export const JOB_CALLER_PARKED = 260; // i32: 1 while the caller waits
export const JOB_FINISHED = 264; // i32: 1 when the job is complete
export const JOB_WORKERS = 320; // one i32 a worker, at most 64 of them: one of WORKER_…
export const JOB_ERROR_LENGTH = 576; // i32: bytes of the first failing worker's message
export const JOB_ERROR_TEXT = 580; // UTF-8
export const JOB_ERROR_BYTES = 444;
export const JOB_SIZE = 1024;

export const WORKER_STARTING = 0;
export const WORKER_READY = 1;
export const WORKER_EXITED = 2;
export const WORKER_FAILED = 3;
// it was never ready: refused, not found, or not able to instantiate the module
export const WORKER_ABSENT = 4;
