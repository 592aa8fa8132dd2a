/**
 * Chooses a backend for the platform and creates it: linear memory, the kernels over it, and the
 * workers.
 *
 * Invariant: with backend 'auto', if the platform refuses threads, memory or code, the next slower
 * backend is created and the reason is kept; a wrong argument always throws. A backend that was
 * requested by name is created or an error is thrown. The modules for threads are imported only
 * where threads are available, so that other platforms never download them.
 */
import { AdalError, ArgumentError, UnsupportedError } from '../errors';
import { Arena } from './arena';
import { type Binaries, instantiate } from './binaries';
import { hasSimd, keepsSubnormals, mayBlock, whyNoThreads } from './features';
import type { OptimKernels, ThreadedOptimKernels } from './kernels-optim';
import { createMemory, type LinearMemory } from './memory';
import { type Backend, MINIMUM_PARALLEL_ELEMENTS, type RuntimeSettings } from './runtime-options';
import type { WorkerPool } from './worker-pool';
import type { WorkerPools } from './worker-pools';

/** A created backend. */
export interface BackendInstance {
  readonly backend: Backend;
  /** Why no faster backend is in use; empty if this is the fastest or was requested by name. */
  readonly backendReason: string;
  readonly memory: LinearMemory;
  readonly arena: Arena;
  readonly kernels: OptimKernels;
  /** The worker threads; null on one thread. */
  readonly workers: WorkerPools | null;
  /** The pool of workers that share optimizer steps; null on one thread. */
  readonly pool: WorkerPool | null;
  readonly threads: number;
  readonly threadsReason: string;
  /** Whether the runtime's own thread may block while it waits for workers. */
  readonly mayBlock: boolean;
}

/**
 * Creates the backend that `settings` ask for.
 * @throws UnsupportedError if a backend was requested by name and does not work here
 */
export async function createBackend(
  settings: RuntimeSettings,
  binaries: Binaries,
): Promise<BackendInstance> {
  const { backend } = settings;
  if (backend === 'oracle') return createOracleBackend(settings, '');
  if (!hasSimd()) {
    const reason = 'WebAssembly SIMD is not available here';
    if (backend !== 'auto') throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
    return createOracleBackend(settings, reason);
  }
  const choice = await resolveThreads(settings, binaries);
  if (backend === 'threads' && choice.blocked)
    throw new UnsupportedError(`no threads: ${choice.reason}`);
  if (backend === 'threads' || choice.threads > 1) {
    try {
      return await createThreadsBackend(settings, binaries, choice);
    } catch (cause) {
      if (backend === 'threads' || !(cause instanceof AdalError) || cause instanceof ArgumentError)
        throw cause;
      return createSimdBackend(
        settings,
        binaries,
        `threads could not be started: ${cause.message}`,
      );
    }
  }
  return createSimdBackend(settings, binaries, choice.reason);
}

/** How many threads to use, and why. */
interface Choice {
  readonly threads: number;
  readonly reason: string;
  /** Whether threads are unavailable on this platform. */
  readonly blocked: boolean;
}

async function resolveThreads(settings: RuntimeSettings, binaries: Binaries): Promise<Choice> {
  const { threads, backend, workerHost } = settings;
  if (backend === 'simd')
    return { threads: 1, reason: `backend 'simd' was requested`, blocked: false };
  const whyOne = whyOneThread(settings);
  // Detecting threads is not free: Node takes 4 ms to load its workers (bench/micro/cold-start.ts).
  if (whyOne && backend === 'auto') return { threads: 1, reason: whyOne, blocked: false };
  const obstacle = binaries.whyNoThreads ?? (workerHost ? null : whyNoThreads());
  if (obstacle) return { threads: 1, reason: obstacle, blocked: true };
  if (whyOne) return { threads: 1, reason: whyOne, blocked: false };
  if (threads === 'auto')
    return { ...(await import('./thread-policy')).chooseThreads(), blocked: false };
  return { threads, reason: `${threads} threads were requested`, blocked: false };
}

/**
 * Returns why the settings call for one thread, whatever the platform offers; null if they do not.
 */
function whyOneThread({ threads, parameterCount }: RuntimeSettings): string | null {
  if (threads === 1) return 'one thread was requested';
  if (
    threads !== 'auto' ||
    parameterCount === undefined ||
    parameterCount >= MINIMUM_PARALLEL_ELEMENTS
  )
    return null;
  const [count, minimum] = [grouped(parameterCount), grouped(MINIMUM_PARALLEL_ELEMENTS)];
  return `${count} parameters: threads pay off from ${minimum}`;
}

/** Formats 65536 as 65,536. Intl would take milliseconds to load. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

const ONE_THREAD = {
  backendReason: '',
  workers: null,
  pool: null,
  threads: 1,
  mayBlock: false,
} as const;

async function createOracleBackend(
  { maxMemory }: RuntimeSettings,
  backendReason: string,
): Promise<BackendInstance> {
  const memory = createMemory('plain', maxMemory);
  const { createReferenceOptim } = await import('./reference/optim');
  const kernels = createReferenceOptim(memory);
  const threadsReason = 'the oracle runs on one thread';
  return {
    ...ONE_THREAD,
    backend: 'oracle',
    backendReason,
    memory,
    arena: new Arena(memory),
    kernels,
    threadsReason,
  };
}

async function createSimdBackend(
  settings: RuntimeSettings,
  binaries: Binaries,
  threadsReason: string,
): Promise<BackendInstance> {
  let memory: LinearMemory;
  let kernels: OptimKernels;
  try {
    memory = createMemory('unshared', settings.maxMemory);
    kernels = await instantiate<OptimKernels>(await binaries.load('optim.simd'), memory);
  } catch (cause) {
    if (settings.backend !== 'auto' || !(cause instanceof UnsupportedError)) throw cause;
    return createOracleBackend(settings, cause.message);
  }
  const instead = await replaceFlushingBackend(settings, kernels);
  return (
    instead ?? {
      ...ONE_THREAD,
      backend: 'simd',
      memory,
      arena: new Arena(memory),
      kernels,
      threadsReason,
    }
  );
}

async function createThreadsBackend(
  settings: RuntimeSettings,
  binaries: Binaries,
  choice: Choice,
): Promise<BackendInstance> {
  const { threads, reason } = choice;
  const module = await binaries.load('optim.threads');
  const memory = createMemory('shared', settings.maxMemory);
  const kernels = await instantiate<ThreadedOptimKernels>(module, memory);
  const instead = await replaceFlushingBackend(settings, kernels);
  if (instead) return instead;
  const arena = new Arena(memory);
  const workers =
    threads > 1
      ? await (await import('./worker-pools')).createWorkerPools(settings, arena, threads)
      : null;
  const pool = workers && (await workers.openForSteps(module, kernels));
  const waits = mayBlock();
  const threadsReason =
    waits || threads === 1
      ? reason
      : `${reason}; step() may not wait for workers on this thread and runs alone`;
  const shared = { memory, arena, kernels, workers, pool };
  return {
    ...shared,
    backend: 'threads',
    backendReason: '',
    threads,
    threadsReason,
    mayBlock: waits,
  };
}

/**
 * Creates the reference backend where vector arithmetic flushes subnormal numbers to zero, since
 * the bits would differ from other machines; returns null elsewhere.
 */
async function replaceFlushingBackend(
  settings: RuntimeSettings,
  kernels: OptimKernels,
): Promise<BackendInstance | null> {
  if (keepsSubnormals(kernels.halve)) return null;
  const reason =
    'vector arithmetic flushes subnormal numbers here (32-bit ARM), ' +
    'so results would differ from other machines';
  if (settings.backend !== 'auto')
    throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
  return createOracleBackend(settings, reason);
}
