/**
 * What this engine and machine can do. Nothing here is read at import time, and no runtime is known
 * by name or version.
 */

/** Reads a property path off globalThis without assuming that anything exists. */
type NodeProcess = {
  getBuiltinModule?: (name: string) => unknown;
  env?: Record<string, string | undefined>;
};

/** Node's, Deno's or Bun's `process`, where there is one. */
export function hostProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}

/** A built-in module of Node, Deno or Bun, loaded without an import that bundlers would follow. */
export function builtin<T>(name: string): T | undefined {
  try {
    return hostProcess()?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether this may be read without asking the user: Deno asks, in a terminal, for what it was not
 * granted.
 */
export function isGranted(
  permission: { name: 'env'; variable: string } | { name: 'read'; path: string },
): boolean {
  type Query = { querySync?: (permission: object) => { state: string } };
  const { permissions } = (globalThis as { Deno?: { permissions?: Query } }).Deno ?? {};
  return !permissions?.querySync || permissions.querySync(permission).state === 'granted';
}

/** A module whose one function uses a v128 instruction. */
const SIMD_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
];

/** Whether WebAssembly SIMD validates here. */
export function hasSimd(): boolean {
  try {
    return typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(SIMD_MODULE));
  } catch {
    return false;
  }
}

/**
 * Whether this thread may wait for others: a page's main thread may not, nor may anything in
 * workerd.
 */
export function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why pages have no shared memory, most of the time. */
const NOT_ISOLATED = 'the page is not cross-origin isolated (it needs the headers COOP and COEP)';

/** A module whose one function uses `f32x4.relaxed_madd`. */
const RELAXED_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15,
  65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];

/** Whether WebAssembly relaxed SIMD validates here. */
export function hasRelaxedSimd(): boolean {
  return hasSimd() && WebAssembly.validate(new Uint8Array(RELAXED_MODULE));
}

/** Why WebAssembly memory cannot be shared between threads here; null when it can. */
export function whyNoSharedMemory(): string | null {
  if (typeof WebAssembly !== 'object') return 'no WebAssembly here';
  if (typeof SharedArrayBuffer !== 'function') {
    const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
    return crossOriginIsolated === false ? NOT_ISOLATED : 'no SharedArrayBuffer here';
  }
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return buffer instanceof SharedArrayBuffer
      ? null
      : 'the engine has no shared WebAssembly memory';
  } catch {
    return 'the engine has no shared WebAssembly memory';
  }
}

/** Which host this platform has; null where there are no threads to be started. */
export function workerHostKind(): 'node' | 'browser' | null {
  // Edge platforms imitate node:worker_threads without any threads; those that have them let every
  // thread wait.
  if (builtin('node:worker_threads') && mayBlock()) return 'node';
  return typeof Worker === 'function' && typeof Blob === 'function' ? 'browser' : null;
}

/** Why no threads can be had at all; null when they can. */
export function whyNoThreads(): string | null {
  const reason = whyNoSharedMemory();
  if (reason) return reason;
  const kind = workerHostKind();
  if (kind === null) return 'no worker host for this runtime';
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return kind === 'browser' && crossOriginIsolated === false ? NOT_ISOLATED : null;
}

/**
 * Whether vector arithmetic keeps subnormal numbers. 32-bit ARM flushes them, which gives other
 * bits than the rest.
 * @param halve x/2 as the kernels compute it
 */
export function keepsSubnormals(halve: (x: number) => number): boolean {
  return halve(2 ** -126) === 2 ** -127;
}
