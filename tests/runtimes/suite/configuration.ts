/** The configurations in which the suite runs on a runtime. */
import { createRuntime, type Gradients, type Optimizer, type Runtime } from '../../../src/index';

/**
 * The configuration of one cell of the matrix: the oracle, or a number of threads (1: the SIMD
 * binary without shared memory).
 */
export type Configuration = 'oracle' | number;

export function createFor(configuration: Configuration): Promise<Runtime> {
  if (configuration === 'oracle') return createRuntime({ backend: 'oracle' });
  if (configuration === 1) return createRuntime({ threads: 1 });
  return createRuntime({ backend: 'threads', threads: configuration, parallelThreshold: 0 });
}

export async function withRuntime<T>(
  configuration: Configuration,
  body: (runtime: Runtime) => T | Promise<T>,
): Promise<T> {
  const runtime = await createFor(configuration);
  try {
    return await body(runtime);
  } finally {
    runtime.dispose();
  }
}

/** Alternates `step` and `stepAsync`: where one of them may not use threads, the other does. */
export function createAlternating(): (optimizer: Optimizer, grads?: Gradients) => Promise<void> {
  let count = 0;
  return async (optimizer, grads) => {
    if (count++ % 2) optimizer.step(grads);
    else await optimizer.stepAsync(grads);
  };
}
