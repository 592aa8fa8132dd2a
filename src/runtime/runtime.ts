/**
 * One linear memory, the kernels over it, and the threads that share it. Everything that trains
 * lives in a runtime.
 *
 * Invariant: what a step computes depends on the numbers alone. Backend, threads and memory kind
 * change its speed only.
 */
import { BusyError, DisposedError, UnsupportedError } from '../errors';
import type { Arena } from './arena';
import { type Binaries, inlinedBinaries, instantiate } from './binaries';
import { createParts, type RuntimeParts } from './create-backend';
import { hasRelaxedSimd } from './features';
import type { OptimKernels } from './kernels';
import type { NNKernels, ThreadedNNKernels } from './kernels-nn';
import type { LinearMemory } from './memory';
import type { WorkerPool } from './pool';
import {
  type Backend,
  checkRuntimeOptions,
  type RuntimeOptions,
  type RuntimeSettings,
} from './runtime-options';
import { runSliced } from './step-in-slices';

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
  /**
   * Whether products and convolutions are fused, and their bits this CPU's: see the option
   * `relaxed`.
   */
  readonly relaxed: boolean;
  /** Linear memory now, bytes. */
  readonly memoryBytes: number;
  /** Of which allocated. */
  readonly usedBytes: number;
  /** What linear memory may grow to. */
  readonly maxMemoryBytes: number;
  /** Why no more than that, where the engine refused what was asked for; otherwise empty. */
  readonly maxMemoryReason: string;
}

export class Runtime {
  readonly #parts: RuntimeParts;
  readonly #binaries: Binaries;
  readonly #parallelThreshold: number;
  readonly #relaxed: boolean;
  /** Whether a slower backend takes the place of one that does not work. */
  readonly #fallsBack: boolean;
  #nn: Promise<NNKernels> | null = null;
  /** Why models are computed by the oracle although steps are not; empty when they are not. */
  #nnReason = '';
  #disposed = false;
  #busy = false;
  /** While callbacks run: how errors say when that is. */
  #callbacks: string | null = null;

  /** @internal Use `createRuntime`. */
  constructor(
    parts: RuntimeParts,
    binaries: Binaries,
    { backend, parallelThreshold, relaxed }: RuntimeSettings,
  ) {
    this.#fallsBack = backend === 'auto';
    this.#parts = parts;
    this.#binaries = binaries;
    this.#parallelThreshold = parallelThreshold;
    this.#relaxed = relaxed && binaries.relaxed && parts.backend !== 'oracle' && hasRelaxedSimd();
  }

  /** What is in use here, and why. */
  get info(): RuntimeInfo {
    const { backend, backendReason, memory, arena, workers, threads, threadsReason } = this.#parts;
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

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Ends the workers. Whatever lives in this runtime's memory throws DisposedError from now on. */
  dispose(): void {
    if (this.#busy) throw new BusyError('the runtime');
    if (this.#callbacks !== null) throw new BusyError('the runtime', this.#callbacks);
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.workers?.close('the runtime was disposed');
  }

  /** @internal */
  get memory(): LinearMemory {
    return this.#parts.memory;
  }

  /** @internal The allocator; throws once the runtime is disposed. */
  get arena(): Arena {
    this.checkOwner('the runtime');
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
    this.#nn ??= this.#loadNN().catch((error) => {
      this.#nn = null; // the next model tries again
      throw error;
    });
    return this.#nn;
  }

  /** @internal Throws unless memory may be touched now. */
  check(what: string): void {
    if (this.#disposed) throw new DisposedError(what);
    if (this.#busy) throw new BusyError(what);
  }

  /**
   * @internal Whether callbacks may be run now, and how errors say when that is; null: they are
   * over. Until then memory is neither
   * allocated nor given back, and nothing steps, loads or is disposed of.
   * @returns what it was before, to be set again
   */
  setCallbacks(when: string | null): string | null {
    const before = this.#callbacks;
    this.#callbacks = when;
    return before;
  }

  /**
   * @internal As `check`; throws during callbacks too. For whatever changes more than the numbers
   * in memory.
   */
  checkOwner(what: string): void {
    this.check(what);
    if (this.#callbacks !== null) throw new BusyError(what, this.#callbacks);
  }

  /**
   * @internal Runs the step that `table` describes; alone where this thread may not wait for
   * others.
   */
  step(table: number, elementCount: number): void {
    const pool = this.#parts.mayBlock ? this.#poolFor(elementCount) : null;
    if (pool) pool.run(table);
    else this.#parts.kernels.step(table);
  }

  /** @internal The same without blocking this thread for long. */
  async stepAsync(table: number, elementCount: number): Promise<void> {
    this.#busy = true;
    try {
      const pool = this.#poolFor(elementCount);
      if (pool) await pool.runAsync(table);
      else await runSliced(this.#parts.kernels, this.#parts.memory, table);
    } finally {
      this.#busy = false;
    }
  }

  async #loadNN(): Promise<NNKernels> {
    const { backend, memory, workers, mayBlock } = this.#parts;
    if (backend === 'oracle') return (await import('./reference/nn')).createReferenceNN(memory);
    let module: WebAssembly.Module;
    let kernels: NNKernels;
    try {
      module = await this.#binaries.load(this.#relaxed ? `nn.relaxed.${backend}` : `nn.${backend}`);
      kernels = await instantiate<NNKernels>(module, memory);
    } catch (cause) {
      if (!this.#fallsBack || !(cause instanceof UnsupportedError)) throw cause;
      this.#nnReason = `models are computed by the oracle: ${cause.message}`;
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

  /**
   * The pool, if sharing a step of this size pays and the pool is sound. Starts its workers when
   * they are first of use.
   */
  #poolFor(elementCount: number): WorkerPool | null {
    const { pool } = this.#parts;
    if (!pool || elementCount === 0 || elementCount < this.#parallelThreshold) return null;
    return pool.prepare() ? pool : null; // `info.threadsReason` tells why not
  }
}

if (typeof Symbol.dispose === 'symbol') {
  Object.defineProperty(Runtime.prototype, Symbol.dispose, {
    value: Runtime.prototype.dispose,
    configurable: true,
  });
}

/**
 * Creates a runtime: `const runtime = await createRuntime({ threads: 2 })`. Steps are synchronous
 * from then on.
 * @throws ArgumentError for options out of range
 * @throws UnsupportedError when a backend was asked for by name that does not work here
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  return createRuntimeOver(inlinedBinaries, options);
}

/** @internal The same with other binaries where the caller brings none. */
export async function createRuntimeOver(
  defaults: Binaries,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const settings = checkRuntimeOptions(options);
  const { wasm } = options;
  const binaries =
    wasm === undefined ? defaults : (await import('./wasm-source')).bringBinaries(wasm, defaults);
  return new Runtime(await createParts(settings, binaries), binaries, settings);
}
