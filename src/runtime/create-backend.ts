/**
 * What a runtime is made of: memory, the kernels over it, and workers; chosen for the platform and
 * put together here.
 *
 * Invariant: with backend 'auto' a refusal of the platform, be it of threads, of memory or of code,
 * leads to the next slower backend, and the reason is kept; a wrong argument never does. A backend
 * that was asked for by name is given or is an error. What threads need is imported where they are
 * to be had, so that nobody else downloads it.
 */
import { AdalError, ArgumentError, UnsupportedError } from '../errors';
import { Arena } from './arena';
import { type Binaries, instantiate } from './binaries';
import { hasSimd, keepsSubnormals, mayBlock, whyNoThreads } from './features';
import type { OptimKernels, ThreadedOptimKernels } from './kernels';
import { createMemory, type LinearMemory } from './memory';
import type { WorkerPool } from './pool';
import { type Backend, MINIMUM_PARALLEL_ELEMENTS, type RuntimeSettings } from './runtime-options';
import type { Workers } from './workers';

export interface RuntimeParts {
  readonly backend: Backend;
  /** Why not a faster backend; empty when it is the fastest, or was asked for. */
  readonly backendReason: string;
  readonly memory: LinearMemory;
  readonly arena: Arena;
  readonly kernels: OptimKernels;
  /** The threads besides this one; null where there are none. */
  readonly workers: Workers | null;
  /** Those of them that share steps. */
  readonly pool: WorkerPool | null;
  readonly threads: number;
  readonly threadsReason: string;
  /** Whether the thread of this runtime may wait for others. */
  readonly mayBlock: boolean;
}

/**
 * @throws UnsupportedError when a backend was asked for by name that does not work here
 */
export async function createParts(
  settings: RuntimeSettings,
  binaries: Binaries,
): Promise<RuntimeParts> {
  const { backend } = settings;
  if (backend === 'oracle') return createOracle(settings, '');
  if (!hasSimd()) {
    const reason = 'WebAssembly SIMD is not available here';
    if (backend !== 'auto') throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
    return createOracle(settings, reason);
  }
  const choice = await resolveThreads(settings, binaries);
  if (backend === 'threads' && choice.blocked)
    throw new UnsupportedError(`no threads: ${choice.reason}`);
  if (backend === 'threads' || choice.threads > 1) {
    try {
      return await createThreaded(settings, binaries, choice);
    } catch (cause) {
      if (backend === 'threads' || !(cause instanceof AdalError) || cause instanceof ArgumentError)
        throw cause;
      return createSingle(settings, binaries, `threads could not be started: ${cause.message}`);
    }
  }
  return createSingle(settings, binaries, choice.reason);
}

interface Choice {
  readonly threads: number;
  readonly reason: string;
  /** Whether no threads can be had at all. */
  readonly blocked: boolean;
}

async function resolveThreads(settings: RuntimeSettings, binaries: Binaries): Promise<Choice> {
  const { threads, backend, workerHost } = settings;
  if (backend === 'simd')
    return { threads: 1, reason: `backend 'simd' was asked for`, blocked: false };
  const whyOne = whyOneThread(settings);
  // Asking what the platform has is not free: Node takes 4 ms to load its workers
  // (bench/micro/cold-start.js).
  if (whyOne && backend === 'auto') return { threads: 1, reason: whyOne, blocked: false };
  const obstacle = binaries.whyNoThreads ?? (workerHost ? null : whyNoThreads());
  if (obstacle) return { threads: 1, reason: obstacle, blocked: true };
  if (whyOne) return { threads: 1, reason: whyOne, blocked: false };
  if (threads === 'auto')
    return { ...(await import('./thread-policy')).chooseThreads(), blocked: false };
  return { threads, reason: `${threads} threads were asked for`, blocked: false };
}

/** Why one thread is wanted, whatever the platform has; null when it is not. */
function whyOneThread({ threads, parameterCount }: RuntimeSettings): string | null {
  if (threads === 1) return 'one thread was asked for';
  if (
    threads !== 'auto' ||
    parameterCount === undefined ||
    parameterCount >= MINIMUM_PARALLEL_ELEMENTS
  )
    return null;
  return `${grouped(parameterCount)} parameters: threads pay from ${grouped(MINIMUM_PARALLEL_ELEMENTS)} on`;
}

/** 65536 as 65,536. Intl would do it as well, and takes milliseconds to load. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

const ONE_THREAD = {
  backendReason: '',
  workers: null,
  pool: null,
  threads: 1,
  mayBlock: false,
} as const;

async function createOracle(
  { maxMemory }: RuntimeSettings,
  backendReason: string,
): Promise<RuntimeParts> {
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

async function createSingle(
  settings: RuntimeSettings,
  binaries: Binaries,
  threadsReason: string,
): Promise<RuntimeParts> {
  let memory: LinearMemory;
  let kernels: OptimKernels;
  try {
    memory = createMemory('unshared', settings.maxMemory);
    kernels = await instantiate<OptimKernels>(await binaries.load('optim.simd'), memory);
  } catch (cause) {
    if (settings.backend !== 'auto' || !(cause instanceof UnsupportedError)) throw cause;
    return createOracle(settings, cause.message);
  }
  const instead = await refuseFlushing(settings, kernels);
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

async function createThreaded(
  settings: RuntimeSettings,
  binaries: Binaries,
  choice: Choice,
): Promise<RuntimeParts> {
  const { threads, reason } = choice;
  const module = await binaries.load('optim.threads');
  const memory = createMemory('shared', settings.maxMemory);
  const kernels = await instantiate<ThreadedOptimKernels>(module, memory);
  const instead = await refuseFlushing(settings, kernels);
  if (instead) return instead;
  const arena = new Arena(memory);
  const workers =
    threads > 1 ? await (await import('./workers')).createWorkers(settings, arena, threads) : null;
  const pool = workers && (await workers.openForSteps(module, kernels));
  const waits = mayBlock();
  const threadsReason =
    waits || threads === 1
      ? reason
      : `${reason}; step() may not wait on this thread and runs alone`;
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

/** Where vector arithmetic loses subnormals the bits would differ from everywhere else. */
async function refuseFlushing(
  settings: RuntimeSettings,
  kernels: OptimKernels,
): Promise<RuntimeParts | null> {
  if (keepsSubnormals(kernels.halve)) return null;
  const reason =
    'vector arithmetic flushes subnormal numbers here (32-bit ARM): results would differ from other machines';
  if (settings.backend !== 'auto')
    throw new UnsupportedError(`${reason}: use backend 'auto' or 'oracle'`);
  return createOracle(settings, reason);
}
