/**
 * Computes a fingerprint of the parameters after some steps of track T0. It is equal on every
 * runtime, unless something is wrong.
 */
import type { Runtime } from 'adal-wasm';
import { hashArrays } from '../../toolkit/hash';
import { optimizerOf } from '../registry';
import { createSchedule } from '../schedules';
import type { PreparedWorkload } from '../types';
import { createConfigured } from './cell';
import { createTransform } from './transform';

export const HASH_STEPS = 200;

export async function hashAfter(
  prepared: PreparedWorkload,
  id: string,
  steps: number,
  runtime: Runtime,
): Promise<string> {
  const config = optimizerOf(id);
  const problem = await prepared.create(runtime, 0);
  const optimizer = await createConfigured(
    config,
    problem,
    runtime,
    createSchedule(config.schedule, config.lr, steps),
  );
  try {
    const transform = config.transform
      ? createTransform(problem, optimizer, config.transform)
      : null;
    for (let step = 0; step < steps; step++) {
      problem.computeGradients(optimizer, step);
      transform?.(step);
      optimizer.step();
    }
    return hashArrays({ ...optimizer.params });
  } finally {
    optimizer.dispose();
    problem.dispose();
  }
}
