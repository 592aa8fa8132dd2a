/**
 * A pool of worker threads: starts them, shares jobs with them, and detects their failures.
 *
 * Invariant: the state of a worker is read from shared memory, never from messages. Any failure
 * closes the pool for good: no worker touches memory afterwards, and the runtime continues on one
 * thread over the same memory.
 */

import { JOB_RECORD_ERROR_TEXT_COUNT, JobRecord } from '../../build/optim-records';
import { AdalError, StepAbortedError, WorkerError } from '../errors';
import {
  OP_NORM,
  WORKER_ABSENT,
  WORKER_EXITED,
  WORKER_FAILED,
  WORKER_READY,
  WORKER_STARTING,
} from '../memory-layout/constants';
import type { LinearMemory } from './memory';
import { TASKS_PER_SLICE } from './step-in-slices';
import type { WorkerHandle, WorkerHost } from './worker-host-types';
import { waitAtMost, yieldToEventLoop } from './yield-to-event-loop';

/**
 * The exports by which a module runs jobs (assembly/jobs.ts) on this thread. Timeouts are
 * nanoseconds; `arg` is the address of the job's description.
 */
export interface JobKernels {
  /** Name of the export that is the workers' loop. */
  readonly serve: string;
  /** Iterations of a waiting loop, about 1 ns each, before a thread parks. */
  readonly spins: number;
  /** Whether jobs write weights, so that an aborted job may leave them half written. */
  readonly writesWeights: boolean;
  /**
   * Begins a job and works on it. Returns a truthy number if the job is finished; otherwise call
   * `complete`.
   */
  shared(control: number, arg: number, spins: number, timeout: bigint): number;
  /** Continues the current job; returns a truthy number when it is finished. */
  complete(control: number, spins: number, timeout: bigint): number;
  /** Begins a job without working on it. */
  begin(control: number, arg: number): void;
  /** Runs up to `most` tasks; returns 0 if there is none to run now. */
  help(control: number, most: number): number;
}

/** The parts and settings of a pool. */
export interface PoolOptions {
  readonly module: WebAssembly.Module;
  readonly memory: LinearMemory;
  readonly jobs: JobKernels;
  readonly host: WorkerHost;
  /** Address of a zeroed control block. */
  readonly control: number;
  readonly workerCount: number;
  /** Milliseconds without progress after which a job has failed. */
  readonly jobTimeoutMs: number;
}

/** The longest that the caller sleeps before it checks the workers. */
const SLICE_MS = 20;
const SLICE_NS = BigInt(SLICE_MS * 1e6);
const START_TIMEOUT_MS = 5_000;

/** The type of Atomics.waitAsync, which ES2022's library lacks. */
type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
) => { async: boolean; value: unknown };

/** The worker threads that share the jobs of one module. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #job: JobRecord;
  readonly #handles: WorkerHandle[] = [];
  #failure: string | null = null;
  #endReason = '';

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#job = new JobRecord(options.memory).at(options.control);
  }

  /** Why the pool was closed; null while it is open. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Whether workers have been started. */
  get started(): boolean {
    return this.#handles.length > 0;
  }

  /**
   * Whether jobs can be shared. If a worker never became ready, this closes the pool; no job has
   * relied on that worker.
   */
  get usable(): boolean {
    const absent = this.#failure === null ? this.#absentWorker() : null;
    if (absent) this.close(`threads could not be started: ${absent}`);
    return this.#failure === null;
  }

  /**
   * Starts the workers at the first call, and returns whether a job can be shared now. If not,
   * `failure` has the reason.
   */
  prepare(): boolean {
    if (!this.usable) return false;
    if (this.started) return true;
    try {
      this.start();
      return true;
    } catch (error) {
      if (error instanceof AdalError) return false;
      throw error;
    }
  }

  /** Starts the workers without waiting for them: until they are ready, the caller works alone. */
  start(): void {
    const { control, memory, module, jobs, host, workerCount } = this.#options;
    try {
      for (let index = 0; index < workerCount; index++) {
        const input = {
          module,
          memory: memory.source as WebAssembly.Memory,
          serve: jobs.serve,
          control,
          thread: index + 1,
          spins: jobs.spins,
          stateIndex: this.#state(index),
          eventIndex: this.#job.eventIndex,
          errorLengthIndex: this.#job.errorLengthIndex,
          errorTextOffset: this.#job.errorText,
          errorBytes: JOB_RECORD_ERROR_TEXT_COUNT,
          ready: WORKER_READY,
          exited: WORKER_EXITED,
          failed: WORKER_FAILED,
          absent: WORKER_ABSENT,
        };
        const handle = host.spawn(input, (reason) => {
          this.#endReason ||= reason;
          const state = Atomics.load(memory.i32, this.#state(index));
          const end = state === WORKER_STARTING ? WORKER_ABSENT : WORKER_EXITED;
          if (state < WORKER_EXITED) Atomics.store(memory.i32, this.#state(index), end);
        });
        this.#handles.push(handle);
      }
    } catch (cause) {
      this.close(`a worker could not be started: ${String(cause)}`);
      throw new WorkerError(this.#failure as string, { cause });
    }
  }

  /**
   * Starts the workers and waits until all are ready.
   * @throws WorkerError if one fails or the time is up; all are terminated then
   */
  async startAndWait(): Promise<void> {
    this.start();
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (const handle of this.#handles) handle.ref();
    while (this.#states().some((state) => state !== WORKER_READY)) {
      const dead = this.#absentWorker() ?? this.#deadWorker();
      if (dead) {
        this.close(dead);
        throw new WorkerError(dead);
      }
      if (Date.now() > deadline) {
        this.close(`workers were not ready within ${START_TIMEOUT_MS} ms`);
        throw new WorkerError(this.#failure as string);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const handle of this.#handles) handle.unref();
  }

  /**
   * Runs a whole job, a step or a kernel call, shared with the workers.
   * @throws WorkerError if a worker fails and nothing has changed, StepAbortedError if weights may
   * be half written
   */
  run(arg: number): void {
    const { jobs, control } = this.#options;
    this.#refuseDead();
    let watch: ProgressWatch | null = null; // most jobs need none, and allocate nothing
    try {
      let finished = jobs.shared(control, arg, jobs.spins, SLICE_NS);
      while (!finished) {
        this.#failIfStuck((watch ??= new ProgressWatch(this.#options)));
        finished = jobs.complete(control, jobs.spins, SLICE_NS);
      }
    } catch (cause) {
      throw this.#closed(cause);
    }
  }

  /** Runs a whole job without blocking this thread for longer than a few tasks. */
  async runAsync(arg: number): Promise<void> {
    const { jobs, control } = this.#options;
    this.#refuseDead();
    const watch = new ProgressWatch(this.#options);
    for (const handle of this.#handles) handle.ref();
    try {
      jobs.begin(control, arg);
      while (true) {
        const { event } = this.#job;
        const more = jobs.help(control, TASKS_PER_SLICE);
        if (this.#job.finished) return;
        this.#failIfStuck(watch);
        if (more) await yieldToEventLoop();
        else await this.#event(event);
      }
    } catch (cause) {
      throw this.#closed(cause);
    } finally {
      for (const handle of this.#handles) handle.unref();
    }
  }

  /**
   * Terminates all workers. Those that still run take no further task, since their generation has
   * ended.
   */
  close(reason: string): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    const job = this.#job;
    job.stop = 1;
    const generation = job.generation + 1;
    const ended = BigInt(generation >>> 0) << 32n;
    job.limit = ended;
    job.done = ended;
    job.generation = generation;
    Atomics.notify(this.#options.memory.i32, job.generationIndex);
    for (const handle of this.#handles) {
      try {
        handle.terminate();
      } catch {
        // The host may be the caller's own; the other workers must end nevertheless.
      }
    }
  }

  /** Index of a worker's state among the words of memory. */
  #state(index: number): number {
    return this.#job.workers + index;
  }

  #states(): number[] {
    return this.#handles.map((_, index) =>
      Atomics.load(this.#options.memory.i32, this.#state(index)),
    );
  }

  /** Describes the first worker that has ended; null if none has. */
  #deadWorker(): string | null {
    return this.#firstIn(WORKER_FAILED, 'failed') ?? this.#firstIn(WORKER_EXITED, 'exited');
  }

  /** Describes the first worker that never became ready; null if there is none. */
  #absentWorker(): string | null {
    return this.#firstIn(WORKER_ABSENT, 'did not start');
  }

  /** Describes the first worker in a state; null if there is none. */
  #firstIn(state: number, verdict: string): string | null {
    const { memory } = this.#options;
    for (let index = 0; index < this.#handles.length; index++) {
      if (Atomics.load(memory.i32, this.#state(index)) !== state) continue;
      const { errorLength, errorText } = this.#job;
      const text = new Uint8Array(memory.buffer, errorText, errorLength).slice();
      const detail = new TextDecoder().decode(text) || this.#endReason;
      return `worker ${index + 1} ${verdict}${detail ? `: ${detail}` : ''}`;
    }
    return null;
  }

  /** Closes the pool and throws if a worker has ended. */
  #refuseDead(): void {
    const dead = this.#deadWorker();
    if (!dead) return;
    this.close(dead);
    throw new WorkerError(`${dead}; nothing has changed, and further work runs on one thread`);
  }

  #failIfStuck(watch: ProgressWatch): void {
    const reason = this.#deadWorker() ?? watch.stuck();
    if (reason) throw new WorkerError(reason);
  }

  /**
   * Closes the pool after a failed job and returns the error, which tells the state of the weights.
   */
  #closed(cause: unknown): WorkerError {
    const { jobs } = this.#options;
    const { op: phase, done, limit } = this.#job;
    const settling = done === limit;
    const reason = cause instanceof WorkerError ? cause.message : `a job failed: ${String(cause)}`;
    this.close(reason);
    if (!jobs.writesWeights || (phase === OP_NORM && !settling)) {
      return new WorkerError(
        `${reason}; nothing has changed, and further work runs on one thread`,
        { cause },
      );
    }
    const message = `${reason}; weights were being written: load a state dict before the next step`;
    return new StepAbortedError(message, { cause });
  }

  /** Resolves when the event counter differs from `seen`, or after SLICE_MS. */
  async #event(seen: number): Promise<void> {
    const { i32 } = this.#options.memory;
    const { waitAsync } = Atomics as { waitAsync?: WaitAsync };
    if (!waitAsync) {
      await yieldToEventLoop();
      return;
    }
    this.#job.callerParked = 1;
    const outcome = waitAsync(i32, this.#job.eventIndex, seen, SLICE_MS);
    if (outcome.async) await waitAtMost(outcome.value, SLICE_MS);
    this.#job.callerParked = 0;
  }
}

/** Detects that a job has made no progress for `jobTimeoutMs`. */
class ProgressWatch {
  readonly #options: PoolOptions;
  #seen = '';
  #since = Date.now();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Describes the failure; null while the job makes progress. */
  stuck(): string | null {
    const { memory, control, jobTimeoutMs } = this.#options;
    const seen = `${new JobRecord(memory).at(control).done}`;
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#since = Date.now();
      return null;
    }
    const elapsed = Date.now() - this.#since;
    return elapsed < jobTimeoutMs
      ? null
      : `no thread made progress for ${jobTimeoutMs} ms ("jobTimeoutMs")`;
  }
}
