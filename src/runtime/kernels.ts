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

/** A compact state format in plain TypeScript; `second` tells second moments from first ones. */
export interface ReferenceFormat {
  /** Decodes elements [first, first + to.length) to f32. Addresses are in bytes. */
  decode(source: CodedMoment, first: number, to: Float32Array): void;
  /** Encodes `from` into elements [first, first + from.length). */
  encode(target: CodedMoment, first: number, from: Float32Array, key: number): void;
}

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
  /** A whole step over all tensors of the table; the outcome is in the table. */
  step(table: number): void;
  /** Tasks [from, to) of the phase `op`; the first phase is OP_NORM. */
  stepTasks(op: number, table: number, from: number, to: number): void;
  /**
   * After all tasks of a phase: the next phase, or OP_NONE when the step is complete or refused.
   */
  stepAdvance(op: number, table: number): number;
  /**
   * out[i] = x[i] - b·(a·x[i] - y[i]), each operation rounded to f32, over the n elements of
   * zero-padded buffers, any of which may be the same. a and b are finite. a = 0 adds b·y; a = 1
   * moves from x towards y, and does not move where they are equal.
   */
  combine(out: number, x: number, y: number, n: number, a: number, b: number): void;
  /**
   * The rows whose indices are in the u32 array `rows`, one after the other: count rows of `bytes`
   * bytes, a multiple of 2.
   */
  gatherRows(out: number, table: number, rows: number, count: number, bytes: number): void;
  /** And back where they came from. */
  scatterRows(table: number, x: number, rows: number, count: number, bytes: number): void;
  /** x/2 by a vector multiplication. */
  halve(x: number): number;
  /**
   * Gives the reference backend an optimizer's kernel, with its constants' names in order. Binaries
   * have their own.
   */
  defineKernel?(id: number, constants: readonly string[], kernel: ReferenceKernel): void;
  /** Gives it a state format. */
  defineFormat?(id: number, format: ReferenceFormat): void;
}

/**
 * The same shared with workers, by way of the JobRecord at `control`. Times are nanoseconds, as
 * BigInt.
 */
export interface ThreadedOptimKernels extends OptimKernels {
  /** Begins a step and works on it; truthy when it is finished, else go on with `stepComplete`. */
  stepShared(control: number, table: number, spins: number, timeout: bigint): number;
  /** Goes on with the step under way; truthy when it is finished. */
  stepComplete(control: number, spins: number, timeout: bigint): number;
  /** Begins a step without working on it. */
  stepBegin(control: number, table: number): void;
  /** Does up to `most` tasks of the step under way; 0 when there is nothing to do now. */
  stepHelp(control: number, most: number): number;
  /** The loop of worker `thread`, 1 and up. */
  stepServe(control: number, spins: number, thread: number): void;
}
