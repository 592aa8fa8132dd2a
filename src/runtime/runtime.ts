/**
 * The runtime: one linear memory, the kernels over it, and the threads that share it.
 *
 * Invariant: the result of a step depends only on the numbers. Backend, number of threads and kind
 * of memory change only its speed.
 */
import type { NNFamily } from '../../build/nn-families';
import { BusyError, DisposedError, UnsupportedError } from '../errors';
import type { Arena } from './arena';
import { type Binaries, inlinedBinaries, instantiate } from './binaries';
import { type BackendInstance, createBackend } from './create-backend';
import { hasRelaxedSimd } from './features';
import type { NNKernels, ThreadedNNKernels } from './kernels-nn';
import type { OptimKernels } from './kernels-optim';
import type { LinearMemory } from './memory';
import {
  type Backend,
  checkRuntimeOptions,
  type RuntimeOptions,
  type RuntimeSettings,
} from './runtime-options';
import { stepInSlices } from './step-in-slices';
import type { WorkerPool } from './worker-pool';

/** The backend, threads and memory of a runtime, with the reasons for the choice. */
export interface RuntimeInfo {
  /** The backend in use. */
  readonly backend: Backend;
  /** Why no faster backend is in use; empty if this is the fastest or was requested by name. */
  readonly backendReason: string;
  /** Number of threads that share a large step, including the calling thread. */
  readonly threads: number;
  /** Why this number of threads is in use. */
  readonly threadsReason: string;
  /** Whether the kernels use WebAssembly SIMD. */
  readonly simd: boolean;
  /** Whether linear memory is shared between threads. */
  readonly sharedMemory: boolean;
  /**
   * Whether matrix products and convolutions use fused multiply-adds, so that their bits depend on
   * the CPU: see the option `relaxed`.
   */
  readonly relaxed: boolean;
  /** Current size of linear memory, bytes. */
  readonly memoryBytes: number;
  /** Allocated part of linear memory, bytes. */
  readonly usedBytes: number;
  /** Size that linear memory may grow to, bytes. */
  readonly maxMemoryBytes: number;
  /** Why the engine refused the requested maximum; empty if it did not. */
  readonly maxMemoryReason: string;
}

/**
 * A linear memory with kernels and, where available, worker threads. Models and optimizers are
 * created in a runtime; those that work together share one. `createRuntime` creates it.
 *
 * Results do not depend on the backend or the number of threads: all compute the same bits. A
 * program exits normally even if you never call `dispose()`.
 *
 * @example
 * const runtime = await createRuntime();
 * console.log(runtime.info.backend, runtime.info.threads);
 */
export class Runtime {
  readonly #backend: BackendInstance;
  readonly #binaries: Binaries;
  readonly #parallelThreshold: number;
  readonly #relaxed: boolean;
  /** Whether a slower backend replaces one that does not work. */
  readonly #fallsBack: boolean;
  #nn: Promise<NNKernels> | null = null;
  /** Kernels of the families that have been loaded. */
  readonly #families = new Map<NNFamily, Promise<object>>();
  /** Why models alone run on the reference backend; empty if they do not. */
  #nnReason = '';
  #disposed = false;
  #busy = false;
  /** How errors describe the callbacks that are running; null if none is. */
  #callbacks: string | null = null;

  /** @internal Use `createRuntime`. */
  constructor(
    created: BackendInstance,
    binaries: Binaries,
    { backend, parallelThreshold, relaxed }: RuntimeSettings,
  ) {
    this.#fallsBack = backend === 'auto';
    this.#backend = created;
    this.#binaries = binaries;
    this.#parallelThreshold = parallelThreshold;
    this.#relaxed = relaxed && binaries.relaxed && created.backend !== 'oracle' && hasRelaxedSimd();
  }

  /** The backend, threads and memory in use, read anew at every access. */
  get info(): RuntimeInfo {
    const { backend, backendReason, memory, arena, workers, threads, threadsReason } =
      this.#backend;
    const failure = workers?.failure ?? null;
    return {
      backend,
      backendReason: backendReason || this.#nnReason,
      threads: failure ? 1 : threads,
      threadsReason: failure ?? threadsReason,
      simd: backend !== 'oracle',
      sharedMemory: memory.shared,
      relaxed: this.#relaxed,
      memoryBytes: memory.byteLength,
      usedBytes: arena.usedBytes,
      maxMemoryBytes: memory.maximumBytes,
      maxMemoryReason: memory.maximumReason,
    };
  }

  /** Whether `dispose` has been called. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Ends the workers. From then on, all models and optimizers of this runtime throw DisposedError.
   * @throws BusyError inside a callback of a step, or while a `stepAsync` is running
   */
  dispose(): void {
    if (this.#busy) throw new BusyError('the runtime');
    if (this.#callbacks !== null) throw new BusyError('the runtime', this.#callbacks);
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.workers?.close('the runtime was disposed');
  }

  /** @internal Linear memory. */
  get memory(): LinearMemory {
    return this.#backend.memory;
  }

  /** @internal The allocator of linear memory. Throws DisposedError after `dispose`. */
  get arena(): Arena {
    this.checkOwner('the runtime');
    return this.#backend.arena;
  }

  /** @internal The optimizer kernels, on this thread. */
  get kernels(): OptimKernels {
    this.check('the runtime');
    return this.#backend.kernels;
  }

  /**
   * @internal Returns the kernels of models, and of families of layers, each of which is loaded
   * when it is first needed. Other families' kernels are missing in the result.
   */
  async nn(families: Iterable<NNFamily> = []): Promise<NNKernels> {
    this.check('the runtime');
    this.#nn ??= this.#loadNN().catch((error) => {
      this.#nn = null; // the next model tries again
      throw error;
    });
    const kernels = await this.#nn;
    // The reference has all families; models may run on it though the backend is another.
    if (this.#backend.backend === 'oracle' || this.#nnReason !== '') return kernels;
    const loaded = await Promise.all([...families].map((family) => this.#loadFamily(family)));
    return loaded.length === 0 ? kernels : Object.assign({}, kernels, ...loaded);
  }

  /** @internal Throws if memory may not be read or written now. */
  check(what: string): void {
    if (this.#disposed) throw new DisposedError(what);
    if (this.#busy) throw new BusyError(what);
  }

  /**
   * @internal Marks the begin of callbacks, with the words by which errors describe them, or with
   * null their end. In between, `checkOwner` throws: nothing allocates, frees, steps, loads or
   * disposes.
   * @returns the previous value, for the caller to restore
   */
  setCallbacks(when: string | null): string | null {
    const before = this.#callbacks;
    this.#callbacks = when;
    return before;
  }

  /**
   * @internal Throws like `check`, and also during callbacks. For operations that change more than
   * the numbers in memory.
   */
  checkOwner(what: string): void {
    this.check(what);
    if (this.#callbacks !== null) throw new BusyError(what, this.#callbacks);
  }

  /**
   * @internal Runs the step that `table` describes, without workers where this thread may not
   * block.
   */
  step(table: number, elementCount: number): void {
    const pool = this.#backend.mayBlock ? this.#poolFor(elementCount) : null;
    if (pool) pool.run(table);
    else this.#backend.kernels.step(table);
  }

  /** @internal Runs the step that `table` describes without blocking this thread for long. */
  async stepAsync(table: number, elementCount: number): Promise<void> {
    this.#busy = true;
    try {
      const pool = this.#poolFor(elementCount);
      if (pool) await pool.runAsync(table);
      else await stepInSlices(this.#backend.kernels, this.#backend.memory, table);
    } finally {
      this.#busy = false;
    }
  }

  async #loadNN(): Promise<NNKernels> {
    const { backend, memory, workers, mayBlock } = this.#backend;
    if (backend === 'oracle') return (await import('./reference/nn')).createReferenceNN(memory);
    let module: WebAssembly.Module;
    let kernels: NNKernels;
    try {
      module = await this.#binaries.load(this.#relaxed ? `nn.relaxed.${backend}` : `nn.${backend}`);
      kernels = await instantiate<NNKernels>(module, memory);
    } catch (cause) {
      if (!this.#fallsBack || !(cause instanceof UnsupportedError)) throw cause;
      this.#nnReason = `models run on the oracle: ${cause.message}`;
      return (await import('./reference/nn')).createReferenceNN(memory);
    }
    if (!workers || !mayBlock) return kernels;
    const { openSharedKernels } = await import('./shared-kernels');
    const parallelThreshold = this.#parallelThreshold;
    return openSharedKernels(kernels as ThreadedNNKernels, module, {
      memory,
      workers,
      parallelThreshold,
    });
  }

  #loadFamily(family: NNFamily): Promise<object> {
    const { backend, memory } = this.#backend;
    const known = this.#families.get(family);
    if (known) return known;
    const name = `nn-${family}.${backend as 'simd' | 'threads'}` as const;
    const kernels = this.#binaries.load(name).then((module) => instantiate<object>(module, memory));
    this.#families.set(family, kernels);
    kernels.catch(() => this.#families.delete(family));
    return kernels;
  }

  /**
   * Returns the pool for a step of this size; null if the step is too small or a worker has failed.
   * Starts the workers at the first use.
   */
  #poolFor(elementCount: number): WorkerPool | null {
    const { pool } = this.#backend;
    if (!pool || elementCount === 0 || elementCount < this.#parallelThreshold) return null;
    return pool.prepare() ? pool : null; // otherwise `info.threadsReason` has the reason
  }
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(Runtime.prototype, Symbol.dispose, {
    value: Runtime.prototype.dispose,
    configurable: true,
  });
}

/**
 * Creates a runtime. Loading and compiling WebAssembly happens here, so that optimizer steps are
 * synchronous.
 * @throws ArgumentError for an option that is unknown or out of range
 * @throws UnsupportedError if a backend was requested by name and does not work here
 * @throws WorkerError if backend 'threads' was requested and its workers do not start
 * @example
 * const runtime = await createRuntime({ threads: 2 });
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  return createRuntimeWith(inlinedBinaries, options);
}

/** @internal Creates a runtime with `defaults` in place of the inlined binaries. */
export async function createRuntimeWith(
  defaults: Binaries,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const settings = checkRuntimeOptions(options);
  const { wasm } = options;
  const binaries =
    wasm === undefined
      ? defaults
      : (await import('./wasm-source')).binariesFromOption(wasm, defaults);
  return new Runtime(await createBackend(settings, binaries), binaries, settings);
}
