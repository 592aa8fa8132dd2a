/**
 * One linear memory, the kernels over it, and the threads that share it. Everything that trains lives in a runtime.
 *
 * Invariant: what a step computes depends on the numbers alone. Backend, threads and memory kind change its speed only.
 */
import { JOB_SIZE } from '../abi/layout';
import { AdalError, BusyError, DisposedError, UnsupportedError } from '../errors';
import { checkChoice, checkInteger, checkOptions, fail } from '../validate';
import { Arena } from './arena';
import { hasSimd, keepsSubnormals } from './features';
import type { OptimKernels, ThreadedOptimKernels } from './kernels';
import type { NNKernels } from './kernels-nn';
import { createMemory, type LinearMemory, MAX_MEMORY_BYTES, PAGE } from './memory';
import { instantiate, loadModule } from './module';
import { WorkerPool } from './pool';
import { runSliced } from './sliced';
import { chooseThreads, MINIMUM_PARALLEL_ELEMENTS, whyNoThreads } from './thread-policy';
import { nodeWorkerHost, type WorkerHost } from './worker-host';

/** How steps are computed. All give the same bits. */
export type Backend = 'simd' | 'threads' | 'oracle';

export interface RuntimeOptions {
  /**
   * Threads that share a step, the calling one included: 1 to 64, or 'auto' for as many as pay here. With a number the
   * workers are started, and awaited, at once; with 'auto' they start when the first step large enough comes.
   * @default 'auto'
   */
  threads?: 'auto' | number;
  /**
   * 'simd': WASM SIMD, one thread. 'threads': WASM SIMD over shared memory. 'oracle': plain TypeScript, slow.
   * 'auto' takes the fastest that works here, and `info` says why; any other choice is an error where it does not work.
   * @default 'auto'
   */
  backend?: 'auto' | Backend;
  /** Bytes that linear memory may grow to, at most 4 GiB. @default 4 GiB, or what the engine grants */
  maxMemory?: number;
  /** Elements that will be trained, where known: lets 'auto' do without threads where they would not pay. */
  parameterCount?: number;
  /** Elements of all tensors from which a step is shared between threads. @default 65536 */
  parallelThreshold?: number;
  /** Milliseconds without progress after which a shared step fails. @default 10000 */
  jobTimeoutMs?: number;
  /** Starts worker threads; for platforms that the library does not know. */
  workerHost?: WorkerHost;
}

/** What is in use, and why. */
export interface RuntimeInfo {
  readonly backend: Backend;
  /** Why not a faster backend; empty when it is the fastest, or was asked for. */
  readonly backendReason: string;
  /** Threads that share a large step, the calling one included. */
  readonly threads: number;
  /** Why so many, or why no more. */
  readonly threadsReason: string;
  readonly simd: boolean;
  readonly sharedMemory: boolean;
  /** Linear memory now, bytes. */
  readonly memoryBytes: number;
  /** Of which allocated. */
  readonly usedBytes: number;
  /** What linear memory may grow to. */
  readonly maxMemoryBytes: number;
}

const OPTION_NAMES = ['threads', 'backend', 'maxMemory', 'parameterCount', 'parallelThreshold', 'jobTimeoutMs', 'workerHost'];

interface Settings {
  threads: 'auto' | number;
  backend: 'auto' | Backend;
  maxMemory: number;
  parameterCount: number | undefined;
  parallelThreshold: number;
  jobTimeoutMs: number;
  workerHost: WorkerHost | undefined;
}

function checkRuntimeOptions(options: RuntimeOptions): Settings {
  checkOptions('options', options, OPTION_NAMES);
  const { threads = 'auto', backend = 'auto', maxMemory = MAX_MEMORY_BYTES, parameterCount, workerHost } = options;
  if (threads !== 'auto') {
    if (typeof threads !== 'number') fail('threads', `'auto' or an integer in [1, 64]`, threads);
    checkInteger('threads', threads, 1, 64);
  }
  checkChoice('backend', backend, ['auto', 'simd', 'threads', 'oracle']);
  if ((backend === 'simd' || backend === 'oracle') && threads !== 'auto' && threads > 1) {
    fail('threads', `1 or 'auto' with backend '${backend}'`, threads);
  }
  checkInteger('maxMemory', maxMemory, 2 * PAGE, MAX_MEMORY_BYTES);
  if (parameterCount !== undefined) checkInteger('parameterCount', parameterCount, 0, 2 ** 32);
  const parallelThreshold = options.parallelThreshold ?? MINIMUM_PARALLEL_ELEMENTS;
  checkInteger('parallelThreshold', parallelThreshold, 0, 2 ** 32);
  if (workerHost !== undefined && typeof workerHost?.spawn !== 'function') {
    fail('workerHost', 'an object with a method spawn', workerHost);
  }
  const jobTimeoutMs = checkInteger('jobTimeoutMs', options.jobTimeoutMs ?? 10_000, 1, 2 ** 31 - 1);
  return { threads, backend, maxMemory, parameterCount, parallelThreshold, jobTimeoutMs, workerHost };
}

/** What a runtime is made of; `createRuntime` puts it together. */
interface Parts {
  readonly backend: Backend;
  readonly backendReason: string;
  readonly memory: LinearMemory;
  readonly arena: Arena;
  readonly kernels: OptimKernels;
  readonly pool: WorkerPool | null;
  readonly threads: number;
  readonly threadsReason: string;
  readonly parallelThreshold: number;
}

export class Runtime {
  readonly #parts: Parts;
  #nn: Promise<NNKernels> | null = null;
  #disposed = false;
  #busy = false;

  /** @internal Use `createRuntime`. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What is in use here, and why. */
  get info(): RuntimeInfo {
    const { backend, backendReason, memory, arena, pool, threads, threadsReason } = this.#parts;
    return {
      backend,
      backendReason,
      threads: pool?.failure ? 1 : threads,
      threadsReason: pool?.failure ?? threadsReason,
      simd: backend !== 'oracle',
      sharedMemory: memory.shared,
      memoryBytes: memory.byteLength,
      usedBytes: arena.usedBytes,
      maxMemoryBytes: memory.maximumBytes,
    };
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Ends the workers. Whatever lives in this runtime's memory throws DisposedError from now on. */
  dispose(): void {
    if (this.#busy) throw new BusyError('the runtime');
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.pool?.close('the runtime was disposed');
  }

  /** @internal */
  get memory(): LinearMemory {
    return this.#parts.memory;
  }

  /** @internal The allocator; throws once the runtime is disposed. */
  get arena(): Arena {
    this.check('the runtime');
    return this.#parts.arena;
  }

  /** @internal The kernels of the optim module, on this thread. */
  get kernels(): OptimKernels {
    this.check('the runtime');
    return this.#parts.kernels;
  }

  /** @internal The vector math of the nn module; loaded when first asked for. */
  nn(): Promise<NNKernels> {
    this.check('the runtime');
    this.#nn ??= loadNN(this.#parts);
    return this.#nn;
  }

  /** @internal Throws unless memory may be touched now. */
  check(what: string): void {
    if (this.#disposed) throw new DisposedError(what);
    if (this.#busy) throw new BusyError(what);
  }

  /** @internal Runs the step that `table` describes. */
  step(table: number, elementCount: number): void {
    const pool = this.#poolFor(elementCount);
    if (pool) pool.step(table);
    else this.#parts.kernels.step(table);
  }

  /** @internal The same without blocking this thread for long. */
  async stepAsync(table: number, elementCount: number): Promise<void> {
    this.#busy = true;
    try {
      const pool = this.#poolFor(elementCount);
      if (pool) await pool.stepAsync(table);
      else await runSliced(this.#parts.kernels, this.#parts.memory, table);
    } finally {
      this.#busy = false;
    }
  }

  /** The pool, if sharing a step of this size pays and the pool is sound. Starts its workers when they are first of use. */
  #poolFor(elementCount: number): WorkerPool | null {
    const { pool, parallelThreshold } = this.#parts;
    if (!pool || pool.failure !== null || elementCount === 0 || elementCount < parallelThreshold) return null;
    if (!pool.started) {
      try {
        pool.start();
      } catch (error) {
        if (error instanceof AdalError) return null; // `info.threadsReason` tells
        throw error;
      }
    }
    return pool;
  }
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(Runtime.prototype, Symbol.dispose, { value: Runtime.prototype.dispose, configurable: true });
}

async function loadNN({ backend, memory }: Parts): Promise<NNKernels> {
  if (backend === 'oracle') return (await import('./oracle/nn')).createOracleNN(memory);
  return instantiate<NNKernels>(await loadModule(`nn.${backend}`), memory);
}

/**
 * Creates a runtime: `const runtime = await createRuntime({ threads: 2 })`. Steps are synchronous from then on.
 * @throws ArgumentError for options out of range
 * @throws UnsupportedError when a backend was asked for by name that does not work here
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const settings = checkRuntimeOptions(options);
  const { backend } = settings;
  if (backend === 'oracle') return createOracle(settings, '');
  if (!hasSimd()) {
    const reason = 'WebAssembly SIMD is not available here';
    if (backend !== 'auto') throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
    return createOracle(settings, reason);
  }
  const choice = resolveThreads(settings);
  if (backend === 'threads' && choice.blocked) throw new UnsupportedError(`no threads: ${choice.reason}`);
  if (backend === 'threads' || choice.threads > 1) {
    try {
      return await createThreaded(settings, choice);
    } catch (cause) {
      if (backend === 'threads' || !(cause instanceof AdalError)) throw cause;
      return createSingle(settings, `threads could not be started: ${cause.message}`);
    }
  }
  return createSingle(settings, choice.reason);
}

interface Choice {
  threads: number;
  reason: string;
  blocked: boolean;
}

function resolveThreads({ threads, backend, parameterCount, workerHost }: Settings): Choice {
  if (backend === 'simd') return { threads: 1, reason: `backend 'simd' was asked for`, blocked: false };
  const obstacle = workerHost ? null : whyNoThreads();
  if (threads === 1) return { threads: 1, reason: 'one thread was asked for', blocked: obstacle !== null };
  if (obstacle) return { threads: 1, reason: obstacle, blocked: true };
  if (threads === 'auto') return { ...chooseThreads(parameterCount), blocked: false };
  return { threads, reason: `${threads} threads were asked for`, blocked: false };
}

async function createOracle(settings: Settings, backendReason: string): Promise<Runtime> {
  const memory = createMemory('plain', settings.maxMemory);
  const { createOracleOptim } = await import('./oracle/optim');
  const kernels = createOracleOptim(memory);
  const threadsReason = 'the oracle runs on one thread';
  const { parallelThreshold } = settings;
  const arena = new Arena(memory);
  return new Runtime({
    backend: 'oracle',
    backendReason,
    memory,
    arena,
    kernels,
    pool: null,
    threads: 1,
    threadsReason,
    parallelThreshold,
  });
}

/** Where vector arithmetic loses subnormals the bits would differ from everywhere else. */
async function refuseFlushing(settings: Settings, kernels: OptimKernels): Promise<Runtime | null> {
  if (keepsSubnormals(kernels.halve)) return null;
  const reason = 'vector arithmetic flushes subnormal numbers here (32-bit ARM): results would differ from other machines';
  if (settings.backend !== 'auto') throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
  return createOracle(settings, reason);
}

async function createSingle(settings: Settings, threadsReason: string): Promise<Runtime> {
  const module = await loadModule('optim.simd');
  const memory = createMemory('unshared', settings.maxMemory);
  const kernels = await instantiate<OptimKernels>(module, memory);
  const instead = await refuseFlushing(settings, kernels);
  if (instead) return instead;
  const { parallelThreshold } = settings;
  const arena = new Arena(memory);
  return new Runtime({
    backend: 'simd',
    backendReason: '',
    memory,
    arena,
    kernels,
    pool: null,
    threads: 1,
    threadsReason,
    parallelThreshold,
  });
}

async function createThreaded(settings: Settings, { threads, reason }: Choice): Promise<Runtime> {
  const module = await loadModule('optim.threads');
  const memory = createMemory('shared', settings.maxMemory);
  const kernels = await instantiate<ThreadedOptimKernels>(module, memory);
  const instead = await refuseFlushing(settings, kernels);
  if (instead) return instead;
  const arena = new Arena(memory);
  let pool: WorkerPool | null = null;
  if (threads > 1) {
    const { jobTimeoutMs, workerHost: host = nodeWorkerHost } = settings;
    const control = arena.allocate(JOB_SIZE);
    pool = new WorkerPool({ module, memory, kernels, host, control, workerCount: threads - 1, jobTimeoutMs });
    if (settings.threads !== 'auto') await pool.startAndWait();
  }
  const { parallelThreshold } = settings;
  return new Runtime({
    backend: 'threads',
    backendReason: '',
    memory,
    arena,
    kernels,
    pool,
    threads,
    threadsReason: reason,
    parallelThreshold,
  });
}
