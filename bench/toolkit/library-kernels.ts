/**
 * The library's kernels, which are internal: applications have layers, and a benchmark of products
 * needs nothing around them. This module is the only one that reaches past the public types.
 */
import type { Runtime } from 'adal-wasm';

type Gemm = (
  c: number,
  a: number,
  b: number,
  m: number,
  n: number,
  k: number,
  scratch: number,
) => void;

/** Kernels that are timed. Arguments are byte addresses and lengths in elements. */
export interface TimedKernels {
  readonly gemmNN: Gemm;
  readonly gemmNT: Gemm;
  readonly gemmTN: Gemm;
  biasAdd(x: number, bias: number, rows: number, columns: number): void;
}

interface RuntimeInternals {
  nn(): Promise<TimedKernels>;
  readonly arena: { allocate(bytes: number): number };
  readonly memory: { readonly buffer: ArrayBufferLike };
}

export interface KernelAccess {
  readonly kernels: TimedKernels;
  /** Allocates float32 elements in the runtime's memory, and returns their byte address. */
  allocate(length: number): number;
  /** Returns the runtime's memory. Views die when it grows: ask again after an allocation. */
  floats(): Float32Array;
}

/** Returns the kernels of a runtime. */
export async function kernelsOf(runtime: Runtime): Promise<KernelAccess> {
  const internals = runtime as unknown as RuntimeInternals;
  let view = new Float32Array(internals.memory.buffer);
  return {
    kernels: await internals.nn(),
    allocate: (length) => internals.arena.allocate(4 * length),
    floats() {
      const { buffer } = internals.memory;
      if (view.buffer !== buffer) view = new Float32Array(buffer);
      return view;
    },
  };
}
