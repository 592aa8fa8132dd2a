/**
 * The typed exports of the optim module, which its binaries and the reference implement alike.
 * Addresses are byte offsets into linear memory.
 */

/**
 * Optimizer steps on one thread. `table` is the address of a step table (memory-layout/layout.ts).
 */
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
   * alias; every operation is rounded to f32. a and b are finite. With a = 0 it adds b·y; with a =
   * 1 it moves from x towards y, and stays where they are equal.
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
}

/**
 * Optimizer steps shared with worker threads through the control block at `control`. Timeouts are
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
