/**
 * Detects what this engine and machine can do. Nothing is read at import time, and no runtime is
 * recognised by its name or version.
 */

/** The part of Node's `process` that is read here; nothing of it need exist. */
type NodeProcess = {
  getBuiltinModule?: (name: string) => unknown;
  env?: Record<string, string | undefined>;
};

/** Returns the `process` object of Node, Deno or Bun; undefined elsewhere. */
export function hostProcess(): NodeProcess | undefined {
  return (globalThis as { process?: NodeProcess }).process;
}

/**
 * Returns a built-in module of Node, Deno or Bun, without an import that bundlers would follow;
 * undefined elsewhere.
 */
export function builtin<T>(name: string): T | undefined {
  try {
    return hostProcess()?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined;
  }
}

/**
 * Tells whether the process may read an environment variable or a file without prompting the user,
 * as Deno does in a terminal for permissions that were not granted.
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

/** Tells whether the engine has WebAssembly SIMD. */
export function hasSimd(): boolean {
  try {
    return typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(SIMD_MODULE));
  } catch {
    return false;
  }
}

/**
 * Tells whether this thread may block while it waits for others: the main thread of a page may not,
 * nor may any thread in workerd.
 */
export function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** The usual reason why a page has no shared memory. */
const NOT_ISOLATED = 'the page is not cross-origin isolated (it needs the headers COOP and COEP)';

/** A module whose one function uses `f32x4.relaxed_madd`. */
const RELAXED_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15,
  65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];

/** Tells whether the engine has WebAssembly relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return hasSimd() && WebAssembly.validate(new Uint8Array(RELAXED_MODULE));
}

/** Returns why threads cannot share WebAssembly memory here; null if they can. */
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

/** Returns which worker host this platform needs; null where it cannot start threads. */
export function workerHostKind(): 'node' | 'browser' | null {
  // Edge platforms imitate node:worker_threads without having threads; platforms that have them let
  // every thread block.
  if (builtin('node:worker_threads') && mayBlock()) return 'node';
  return typeof Worker === 'function' && typeof Blob === 'function' ? 'browser' : null;
}

/** Returns why threads are unavailable here; null if they are available. */
export function whyNoThreads(): string | null {
  const reason = whyNoSharedMemory();
  if (reason) return reason;
  const kind = workerHostKind();
  if (kind === null) return 'no worker host for this runtime';
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return kind === 'browser' && crossOriginIsolated === false ? NOT_ISOLATED : null;
}

/**
 * Tells whether vector arithmetic keeps subnormal numbers. 32-bit ARM flushes them to zero, so its
 * bits would differ.
 * @param halve the kernel that computes x/2 by a vector multiplication
 */
export function keepsSubnormals(halve: (x: number) => number): boolean {
  return halve(2 ** -126) === 2 ** -127;
}
