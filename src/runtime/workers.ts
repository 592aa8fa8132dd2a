/**
 * The worker threads of one runtime: a pool for each module that shares its work.
 *
 * Invariant: all control blocks are allocated with the runtime, so that a pool that opens later
 * takes no memory from plans.
 */

import { SHARED_CALL_RECORD_SIZE } from '../../build/nn-records';
import { JOB_RECORD_SIZE } from '../../build/optim-records';
import { WorkerError } from '../errors';
import type { Arena } from './arena';
import type { ThreadedOptimKernels } from './kernels';
import type { ThreadedNNKernels } from './kernels-nn';
import { type PoolJobs, WorkerPool } from './pool';
import type { RuntimeSettings } from './runtime-options';
import { loadWorkerHost, type WorkerHost } from './worker-host';

/** Longer than the pause between back-to-back steps, and short enough not to burn a battery. */
const STEP_SPINS = 20_000;
/**
 * Longer than the kernels of a training step that one thread does alone, 0.1 ms together: waking a
 * core that sleeps costs as much, several times a step.
 */
const KERNEL_SPINS = 150_000;

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
  /** Address of the record that describes a shared kernel's call. */
  readonly record: number;
  readonly #options: WorkersOptions;
  readonly #pools: WorkerPool[] = [];
  #closed: string | null = null;
  readonly #stepControl: number;
  readonly #kernelControl: number;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.threads = options.threads;
    this.#stepControl = options.arena.allocate(JOB_RECORD_SIZE);
    this.#kernelControl = options.arena.allocate(JOB_RECORD_SIZE);
    this.record = options.arena.allocate(SHARED_CALL_RECORD_SIZE);
  }

  /** Why a pool is closed; null while none is. */
  get failure(): string | null {
    return this.#pools.find((pool) => pool.failure !== null)?.failure ?? null;
  }

  /** @throws WorkerError when the workers were to start at once and did not */
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

  /** @throws WorkerError when the workers were to start at once and did not */
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

  close(reason: string): void {
    this.#closed ??= reason;
    for (const pool of this.#pools) pool.close(reason);
  }

  async #open(module: WebAssembly.Module, control: number, jobs: PoolJobs): Promise<WorkerPool> {
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

/** @throws UnsupportedError where the platform has no worker host */
export async function createWorkers(
  settings: RuntimeSettings,
  arena: Arena,
  threads: number,
): Promise<Workers> {
  const { jobTimeoutMs, workerUrl, workerHost } = settings;
  const host = workerHost ?? (await loadWorkerHost(workerUrl));
  return new Workers({ arena, host, threads, jobTimeoutMs, eager: settings.threads !== 'auto' });
}
