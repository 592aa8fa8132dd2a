/**
 * The options of `createRuntime`.
 *
 * Invariant: all options are checked here before anything is allocated; the resulting settings have
 * no missing fields.
 */

import type { UrlLike } from '../types';
import { checkChoice, checkInteger, checkOptions, fail } from '../validate';
import { MAX_MEMORY_BYTES, PAGE } from './memory';
import type { WasmSource, WasmSources } from './wasm-source';
import type { WorkerHost } from './worker-host-types';

/** The implementation that computes. All backends compute the same bits. */
export type Backend = 'simd' | 'threads' | 'oracle';

/** Options of `createRuntime`. */
export interface RuntimeOptions {
  /**
   * Number of threads that share a step or a large kernel of a model, including the calling thread:
   * an integer in [1, 64], or 'auto' for as many as help on this machine. With a number,
   * `createRuntime` starts the workers and waits for them; with 'auto' they start with the first
   * operation that is large enough. The main thread of a page may not block: there `step` and
   * models run on that thread alone, and only `stepAsync` uses the workers.
   * @default 'auto'
   */
  threads?: 'auto' | number;
  /**
   * 'simd': WebAssembly SIMD on one thread. 'threads': WebAssembly SIMD over shared memory.
   * 'oracle': the reference in plain TypeScript, which is slow. 'auto' selects the fastest backend
   * that works here, and `info` gives the reason; any other choice throws where it does not work.
   * @default 'auto'
   */
  backend?: 'auto' | Backend;
  /**
   * Permits fused multiply-adds in matrix products and convolutions where the engine has relaxed
   * SIMD. They are about 10% faster, but the bits of a model's gradients then depend on the CPU.
   * `info.relaxed` tells whether they are in use. Optimizer steps keep their exact bits.
   * @default false
   */
  relaxed?: boolean;
  /**
   * Size that linear memory may grow to, bytes: an integer in [131072, 4294967296].
   * @default 4294967296 (4 GiB), or less if the engine refuses that
   */
  maxMemory?: number;
  /**
   * Number of elements that will be trained: an integer in [0, 2^32]. With it, `threads: 'auto'`
   * uses one thread if the steps are too small for more. Do not set it for models with
   * convolutions, which use threads however few parameters they have.
   * @default unknown
   */
  parameterCount?: number;
  /**
   * Number of elements of all tensors from which threads share a step: an integer in [0, 2^32].
   * They share pooling of as many elements, and products and convolutions of 16 times as many
   * multiplications.
   * @default 65536
   */
  parallelThreshold?: number;
  /**
   * Milliseconds without progress after which a shared step fails: an integer in [1, 2^31 - 1].
   * @default 10000
   */
  jobTimeoutMs?: number;
  /**
   * Starts the worker threads on a platform that the library does not know.
   * @default the host of Node, Deno and Bun, or that of browsers
   */
  workerHost?: WorkerHost;
  /**
   * The address at which a page serves `adal-wasm/worker.js`. Needed under a
   * Content-Security-Policy that forbids workers from blobs, if the bundler does not ship that
   * file.
   * @default the file beside the package's entries
   */
  workerUrl?: string | UrlLike;
  /**
   * The WebAssembly binaries to use in place of the inlined ones: this package's `optim.simd.wasm`
   * as a URL, bytes, a Response or a WebAssembly.Module, or an object with several binaries by name
   * ('optim.simd', 'nn.threads', 'nn-recurrent.simd', …). Missing binaries are taken from the
   * package, except that 'optim.simd' without 'optim.threads' disables threads. Binaries of another
   * version of the package throw an ArgumentError.
   * @default the inlined binaries
   */
  wasm?: WasmSource | WasmSources;
}

/**
 * The default of `parallelThreshold`. For smaller steps, waking parked workers costs more than they
 * save (bench/micro/step.ts, "latency from parked").
 */
export const MINIMUM_PARALLEL_ELEMENTS = 65_536;

/** The checked options with their defaults; `wasm` becomes a source of binaries elsewhere. */
export interface RuntimeSettings {
  readonly threads: 'auto' | number;
  readonly backend: 'auto' | Backend;
  readonly maxMemory: number;
  readonly parameterCount: number | undefined;
  readonly parallelThreshold: number;
  readonly relaxed: boolean;
  readonly jobTimeoutMs: number;
  readonly workerHost: WorkerHost | undefined;
  readonly workerUrl: string | UrlLike | undefined;
}

const COUNTED = [
  'threads',
  'backend',
  'relaxed',
  'maxMemory',
  'parameterCount',
  'parallelThreshold',
  'jobTimeoutMs',
];
const PLATFORM = ['workerHost', 'workerUrl', 'wasm'];

/**
 * Checks the options and adds the defaults.
 * @throws ArgumentError for an option that is unknown or out of range
 */
export function checkRuntimeOptions(options: RuntimeOptions): RuntimeSettings {
  checkOptions('options', options, [...COUNTED, ...PLATFORM]);
  const {
    threads = 'auto',
    backend = 'auto',
    maxMemory = MAX_MEMORY_BYTES,
    parameterCount,
    workerHost,
    workerUrl,
  } = options;
  const {
    parallelThreshold = MINIMUM_PARALLEL_ELEMENTS,
    jobTimeoutMs = 10_000,
    relaxed = false,
  } = options;
  if (typeof relaxed !== 'boolean') fail('relaxed', 'true or false', relaxed);
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
  checkInteger('parallelThreshold', parallelThreshold, 0, 2 ** 32);
  checkInteger('jobTimeoutMs', jobTimeoutMs, 1, 2 ** 31 - 1);
  if (workerHost !== undefined && typeof workerHost?.spawn !== 'function') {
    fail('workerHost', 'an object with a method spawn', workerHost);
  }
  if (workerUrl !== undefined && typeof workerUrl !== 'string' && !(workerUrl instanceof URL)) {
    fail('workerUrl', 'a string or a URL', workerUrl);
  }
  return {
    threads,
    backend,
    relaxed,
    maxMemory,
    parameterCount,
    parallelThreshold,
    jobTimeoutMs,
    workerHost,
    workerUrl,
  };
}
