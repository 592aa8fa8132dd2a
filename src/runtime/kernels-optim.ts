/**
 * The typed interface of the optim module, which both binaries and the reference implement.
 * Addresses are byte offsets into linear memory.
 */
import type { GroupRecord, TensorRecord } from '../../build/optim-records';

/** The arrays of one block that a kernel updates: parameter, gradient, up to three of state. */
export interface KernelArrays {
  readonly p: Float32Array;
  readonly g: Float32Array;
  readonly s0: Float32Array;
  readonly s1: Float32Array;
  readonly s2: Float32Array;
}

/**
 * An optimizer's kernel in plain TypeScript, element by element: what the reference backend runs,
 * and what the AssemblyScript kernel must match bit for bit.
 */
export interface ReferenceKernel<Constant extends string = string> {
  /** Updates element `i` of the arrays, with the kernel's constants by name. */
  update(x: KernelArrays, i: number, constants: Readonly<Record<Constant, number>>): void;
  /** Removes moments that have decayed to nothing from element `i`. */
  flush?(x: KernelArrays, i: number, constants: Readonly<Record<Constant, number>>): void;
  /**
   * Writes the constants and the next scalars of a tensor once the norms are known: Σ|g| of its
   * own and of all tensors, clipped. Returns false to refuse the step. Kernels without it are given
   * the clipping factor as their first constant, and are refused at their group's limit.
   */
  prepare?(tensor: TensorRecord, group: GroupRecord, own: number, total: number): boolean;
}

/**
 * How the reference backend decodes a compact state format; `second` tells second moments from
 * first ones. A program needs it on every backend, so it comes with the format's codec.
 */
export interface StateDecoder<State = unknown> {
  /** Returns a view of a moment of `length` elements. Addresses are in bytes. */
  view(buffer: ArrayBufferLike, codes: number, scales: number, length: number): State;
  /** Returns a function that decodes element `i`; float32 rounds its result. */
  reader(state: State, second: boolean): (i: number) => number;
}

/** Encodes `from` into elements [first, first + from.length), as the format's kernel does. */
export type StateEncoder = (
  target: CodedMoment,
  first: number,
  from: Float32Array,
  key: number,
) => void;

/** One moment of a compact tensor, where it lies. */
export interface CodedMoment {
  readonly buffer: ArrayBufferLike;
  readonly second: boolean;
  /** Byte offset of the codes. */
  readonly codes: number;
  /** Byte offset of the scales; 0 without. */
  readonly scales: number;
}

/** Optimizer steps on one thread. `table` is the address of a StepRecord. */
export interface OptimKernels {
  /** Runs a whole step over all tensors of the table and writes its outcome to the table. */
  step(table: number): void;
  /** Runs tasks [from, to) of the phase `op`; the first phase is OP_NORM. */
  stepTasks(op: number, table: number, from: number, to: number): void;
  /**
   * Ends a phase all of whose tasks have run, and returns the next phase; OP_NONE if the step is
   * complete or refused.
   */
  stepAdvance(op: number, table: number): number;
  /**
   * Computes out[i] = x[i] - b·(a·x[i] - y[i]) for n elements of zero-padded buffers, which may
   * alias; every operation is rounded to f32. a and b are finite. With a = 0 it adds b·y; with
   * a = 1 it moves from x towards y, and stays where they are equal.
   */
  combine(out: number, x: number, y: number, n: number, a: number, b: number): void;
  /**
   * Copies `count` rows of `bytes` bytes (a multiple of 2) from `table` to `out`, one after the
   * other. The u32 array at `rows` has their indices.
   */
  gatherRows(out: number, table: number, rows: number, count: number, bytes: number): void;
  /** Copies rows back from `x` to where `gatherRows` read them. */
  scatterRows(table: number, x: number, rows: number, count: number, bytes: number): void;
  /** Returns x/2, computed by a vector multiplication. */
  halve(x: number): number;
  /** Gives the decoder of a state format to the reference backend; binaries have their own. */
  defineDecoder?(id: number, decoder: StateDecoder): void;
}

/**
 * Optimizer steps shared with worker threads through the JobRecord at `control`. Timeouts are
 * nanoseconds, as BigInt.
 */
export interface ThreadedOptimKernels extends OptimKernels {
  /**
   * Begins a step and works on it. Returns a truthy number if the step is finished; otherwise call
   * `stepComplete`.
   */
  stepShared(control: number, table: number, spins: number, timeout: bigint): number;
  /** Continues the current step; returns a truthy number when it is finished. */
  stepComplete(control: number, spins: number, timeout: bigint): number;
  /** Begins a step without working on it. */
  stepBegin(control: number, table: number): void;
  /** Runs up to `most` tasks of the current step; returns 0 if there is none to run now. */
  stepHelp(control: number, most: number): number;
  /** Runs the loop of worker `thread`, counted from 1. */
  stepServe(control: number, spins: number, thread: number): void;
}
