/**
 * What `createRuntime` may be told.
 *
 * Invariant: options are checked here, all at once, before anything is allocated; settings are
 * complete from then on.
 */
import { checkChoice, checkInteger, checkOptions, fail } from '../validate';
import { MAX_MEMORY_BYTES, PAGE } from './memory';
import type { WasmSource, WasmSources } from './wasm-source';
import type { WorkerHost } from './worker-host';

/** How steps are computed. All give the same bits. */
export type Backend = 'simd' | 'threads' | 'oracle';

export interface RuntimeOptions {
  /**
   * Threads that share a step or a large kernel of a model, the calling one included: 1 to 64, or
   * 'auto' for as many as pay here. With a number the workers are started, and awaited, at once;
   * with 'auto' they start when the first work large enough comes. The main thread of a page may
   * not wait: there `step` and models run on that thread alone, and `stepAsync` is shared.
   * @default 'auto'
   */
  threads?: 'auto' | number;
  /**
   * 'simd': WASM SIMD, one thread. 'threads': WASM SIMD over shared memory. 'oracle': plain
   * TypeScript, slow. 'auto' takes the fastest that works here, and `info` says why; any other
   * choice is an error where it does not work.
   * @default 'auto'
   */
  backend?: 'auto' | Backend;
  /**
   * Permits fused multiply-adds in products and convolutions, where the engine has relaxed SIMD:
   * about a tenth faster, but the bits of a model's gradients then depend on the CPU.
   * `info.relaxed` says whether they are in use. Optimizer steps stay exact.
   * @default false
   */
  relaxed?: boolean;
  /**
   * Bytes that linear memory may grow to, at most 4 GiB.
   * @default 4 GiB, or what the engine grants
   */
  maxMemory?: number;
  /**
   * Elements that will be trained, where known: lets 'auto' do without threads where they would not
   * pay. Not for models with convolutions, which share work however few their parameters are.
   */
  parameterCount?: number;
  /**
   * Elements of all tensors from which a step is shared between threads; poolings of so many are
   * too, and products and convolutions from 16 times so many multiplications. @default 65536
   */
  parallelThreshold?: number;
  /** Milliseconds without progress after which a shared step fails. @default 10000 */
  jobTimeoutMs?: number;
  /** Starts worker threads; for platforms that the library does not know. */
  workerHost?: WorkerHost;
  /**
   * Where a page serves `adal-wasm/worker.js`, for a Content-Security-Policy that forbids workers
   * from blobs, if the bundler does not ship that file itself.
   */
  workerUrl?: string | URL;
  /**
   * The WebAssembly binaries, for those who do not want the inlined ones: `optim.simd.wasm` of this
   * package as a URL, bytes, a Response or a WebAssembly.Module; or an object of these by name
   * ('optim.simd', 'optim.threads', 'nn.simd', 'nn.threads'). What is not given is taken from the
   * package; only threads are given up if 'optim.simd' comes without 'optim.threads'. Binaries of
   * another version of the package are refused.
   * @default the inlined ones
   */
  wasm?: WasmSource | WasmSources;
}

/**
 * Elements of all tensors from which a step is shared between threads. Below it, waking parked
 * workers costs more than they save (bench/micro/step.js, "latency from parked").
 */
export const MINIMUM_PARALLEL_ELEMENTS = 65_536;

/** The options, checked and complete; `wasm` is turned into binaries elsewhere. */
export interface RuntimeSettings {
  readonly threads: 'auto' | number;
  readonly backend: 'auto' | Backend;
  readonly maxMemory: number;
  readonly parameterCount: number | undefined;
  readonly parallelThreshold: number;
  readonly relaxed: boolean;
  readonly jobTimeoutMs: number;
  readonly workerHost: WorkerHost | undefined;
  readonly workerUrl: string | URL | undefined;
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

/** @throws ArgumentError naming the option that is unknown or out of range */
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
