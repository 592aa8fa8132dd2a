/**
 * The typed ABI of the nn module. Its kernels are typed and documented by their reference
 * (reference/nn), which the binaries match in names, arguments and bits.
 */
import type { createReferenceNN } from './reference/nn';

/** The kernels of the nn module, on any backend. */
export type NNKernels = ReturnType<typeof createReferenceNN> & {
  /**
   * Number of threads that share the work of a call. `scratch` must then be that many times as
   * long, each thread's part a multiple of 64 bytes.
   * @default 1
   */
  readonly threads?: number;
};

/**
 * The kernels with the job protocol, which reads the control block at `control`; `record` is the
 * address of a job record (memory-layout/nn-records.js).
 */
export type ThreadedNNKernels = NNKernels & {
  /** Begins a call and works on it; truthy when it is finished, else continue with `nnComplete`. */
  nnShared(control: number, record: number, spins: number, timeout: bigint): number;
  /** Continues the current call; truthy when it is finished. */
  nnComplete(control: number, spins: number, timeout: bigint): number;
  /** Begins a call without working on it. */
  nnBegin(control: number, record: number): void;
  /** Does up to `most` tasks of the current call; returns 0 when no task is open. */
  nnHelp(control: number, most: number): number;
  /** Runs the loop of worker `thread`, 1 and up. */
  nnServe(control: number, spins: number, thread: number): void;
};
