/**
 * The worker threads of one runtime: a pool for each module that shares its work.
 *
 * Invariant: all control blocks are allocated with the runtime, so that a pool that opens later takes no memory from plans.
 */
import { JOB_SIZE } from '../abi/layout';
import { SHARED_SIZE } from '../abi/nn-layout';
import type { Arena } from './arena';
import { type PoolJobs, WorkerPool } from './pool';
import type { WorkerHost } from './worker-host';

export interface WorkersOptions {
  readonly arena: Arena;
  readonly host: WorkerHost;
  /** The calling thread included. */
  readonly threads: number;
  /** Whether a pool starts, and is awaited, when it opens; else with its first job. */
  readonly eager: boolean;
  readonly jobTimeoutMs: number;
}

export class Workers {
  readonly threads: number;
  readonly #options: WorkersOptions;
  readonly #pools: WorkerPool[] = [];
  readonly #stepControl: number;
  readonly #kernelControl: number;
  /** Address of the record that describes a shared kernel's call. */
  readonly record: number;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.threads = options.threads;
    const { arena } = options;
    this.#stepControl = arena.allocate(JOB_SIZE);
    this.#kernelControl = arena.allocate(JOB_SIZE);
    this.record = arena.allocate(SHARED_SIZE);
  }

  /** Why a pool is closed; null while none is. */
  get failure(): string | null {
    return this.#pools.find((pool) => pool.failure !== null)?.failure ?? null;
  }

  /** @throws WorkerError when the workers were to start at once and did not */
  async open(module: WebAssembly.Module, jobs: PoolJobs): Promise<WorkerPool> {
    const { arena, host, threads, jobTimeoutMs, eager } = this.#options;
    const control = jobs.writesWeights ? this.#stepControl : this.#kernelControl;
    const pool = new WorkerPool({ module, memory: arena.memory, jobs, host, control, workerCount: threads - 1, jobTimeoutMs });
    this.#pools.push(pool);
    if (eager) await pool.startAndWait();
    return pool;
  }

  close(reason: string): void {
    for (const pool of this.#pools) pool.close(reason);
  }
}
