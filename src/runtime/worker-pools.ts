/**
 * The worker threads of one runtime: a pool for optimizer steps, and one for the kernels of models.
 *
 * Invariant: both control blocks are allocated with the runtime, so that a pool that opens later
 * allocates nothing.
 */

import { SHARED_CALL_RECORD_SIZE } from '../../build/nn-records';
import { JOB_RECORD_SIZE } from '../../build/optim-records';
import { WorkerError } from '../errors';
import type { Arena } from './arena';
import type { ThreadedNNKernels } from './kernels-nn';
import type { ThreadedOptimKernels } from './kernels-optim';
import type { RuntimeSettings } from './runtime-options';
import { loadWorkerHost } from './worker-host';
import type { WorkerHost } from './worker-host-types';
import { type JobKernels, WorkerPool } from './worker-pool';

/** Longer than the pause between consecutive steps, and short enough to save battery. */
const STEP_SPINS = 20_000;
/**
 * Longer than the kernels of a training step that run on one thread, 0.1 ms in total: waking a
 * sleeping core takes as long, several times per step.
 */
const KERNEL_SPINS = 150_000;

export interface WorkerPoolsOptions {
  readonly arena: Arena;
  readonly host: WorkerHost;
  /** Number of threads, including the calling thread. */
  readonly threads: number;
  /** Whether opening a pool starts its workers and waits for them; otherwise its first job does. */
  readonly eager: boolean;
  readonly jobTimeoutMs: number;
}

/** Opens the pools of a runtime, and closes them with it. */
export class WorkerPools {
  readonly threads: number;
  /** Address of the record of a shared kernel call. */
  readonly record: number;
  readonly #options: WorkerPoolsOptions;
  readonly #pools: WorkerPool[] = [];
  #closed: string | null = null;
  readonly #stepControl: number;
  readonly #kernelControl: number;

  constructor(options: WorkerPoolsOptions) {
    this.#options = options;
    this.threads = options.threads;
    this.#stepControl = options.arena.allocate(JOB_RECORD_SIZE);
    this.#kernelControl = options.arena.allocate(JOB_RECORD_SIZE);
    this.record = options.arena.allocate(SHARED_CALL_RECORD_SIZE);
  }

  /** Why a pool was closed; null if none was. */
  get failure(): string | null {
    return this.#pools.find((pool) => pool.failure !== null)?.failure ?? null;
  }

  /**
   * Opens the pool for optimizer steps.
   * @throws WorkerError if `eager` workers do not start
   */
  openForSteps(module: WebAssembly.Module, kernels: ThreadedOptimKernels): Promise<WorkerPool> {
    const {
      stepShared: shared,
      stepComplete: complete,
      stepBegin: begin,
      stepHelp: help,
    } = kernels;
    const jobs = {
      serve: 'stepServe',
      spins: STEP_SPINS,
      writesWeights: true,
      shared,
      complete,
      begin,
      help,
    };
    return this.#open(module, this.#stepControl, jobs);
  }

  /**
   * Opens the pool for the kernels of models.
   * @throws WorkerError if `eager` workers do not start
   */
  openForKernels(module: WebAssembly.Module, kernels: ThreadedNNKernels): Promise<WorkerPool> {
    const { nnShared: shared, nnComplete: complete, nnBegin: begin, nnHelp: help } = kernels;
    const jobs = {
      serve: 'nnServe',
      spins: KERNEL_SPINS,
      writesWeights: false,
      shared,
      complete,
      begin,
      help,
    };
    return this.#open(module, this.#kernelControl, jobs);
  }

  /** Ends all workers. */
  close(reason: string): void {
    this.#closed ??= reason;
    for (const pool of this.#pools) pool.close(reason);
  }

  async #open(module: WebAssembly.Module, control: number, jobs: JobKernels): Promise<WorkerPool> {
    // The binary of a pool may still have been loading when the runtime was disposed.
    if (this.#closed !== null) throw new WorkerError(this.#closed);
    const { arena, host, threads, jobTimeoutMs, eager } = this.#options;
    const pool = new WorkerPool({
      module,
      memory: arena.memory,
      jobs,
      host,
      control,
      workerCount: threads - 1,
      jobTimeoutMs,
    });
    this.#pools.push(pool);
    if (eager) await pool.startAndWait();
    return pool;
  }
}

/**
 * Creates the worker pools of a runtime.
 * @throws UnsupportedError where the platform has no worker host
 */
export async function createWorkerPools(
  settings: RuntimeSettings,
  arena: Arena,
  threads: number,
): Promise<WorkerPools> {
  const { jobTimeoutMs, workerUrl, workerHost } = settings;
  const host = workerHost ?? (await loadWorkerHost(workerUrl));
  return new WorkerPools({
    arena,
    host,
    threads,
    jobTimeoutMs,
    eager: settings.threads !== 'auto',
  });
}
