/**
 * The typed ABI of the optim module: what both binaries and the oracle offer. Addresses are byte
 * offsets into linear memory.
 */

/** Optimizer steps on one thread. `table` is the address of a step table (abi/layout.ts). */
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
}

/**
 * The same shared with workers, by way of the control block at `control`. Times are nanoseconds, as
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
