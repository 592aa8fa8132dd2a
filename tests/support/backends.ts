/** The matrix: every suite that promises equal bits runs over these. */
import { partsOf, type StateArray } from '../../src/optimizers/state-array';
import { createRuntime, type Runtime } from '../../src/runtime/runtime';
import type { RuntimeOptions } from '../../src/runtime/runtime-options';

export interface BackendCase {
  readonly name: string;
  readonly options: RuntimeOptions;
}

/** Threads are used however little there is to do. */
function threads(count: number): BackendCase {
  return {
    name: `threads ${count}`,
    options: { backend: 'threads', threads: count, parallelThreshold: 0 },
  };
}

export const oracle: BackendCase = { name: 'oracle', options: { backend: 'oracle' } };
export const simd: BackendCase = { name: 'simd', options: { backend: 'simd' } };
export const BACKENDS: readonly BackendCase[] = [oracle, simd, threads(1), threads(2)];
export const THREAD_CASES: readonly BackendCase[] = [1, 2, 3, 7].map(threads);

/** Runs `body` with a runtime of its own. */
export async function withRuntime<T>(
  { options }: BackendCase,
  body: (runtime: Runtime) => T | Promise<T>,
): Promise<T> {
  const runtime = await createRuntime(options);
  try {
    return await body(runtime);
  } finally {
    runtime.dispose();
  }
}

/**
 * The bits of an array, for comparisons in which -0 is not 0; of compact state, codes and scales.
 */
export function bitsOf(values: StateArray): Uint32Array {
  if (values instanceof Float32Array) return new Uint32Array(values.slice().buffer);
  return Uint32Array.from(
    partsOf(values).flatMap(([, part]) => [
      ...(part instanceof Float32Array ? bitsOf(part) : part),
    ]),
  );
}
