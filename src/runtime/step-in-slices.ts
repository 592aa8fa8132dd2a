/**
 * Steps on one thread in slices, so that the event loop turns in between: what `stepAsync` does
 * where there are no workers.
 */
import { StepRecord } from '../../build/optim-records';
import { OP_NONE, OP_NORM } from '../memory-layout/constants';
import type { OptimKernels } from './kernels';
import type { LinearMemory } from './memory';
import { turn } from './yield-to-event-loop';

/** Tasks between two turns of the event loop: about 0.1 ms of a SIMD step. */
export const TASKS_A_SLICE = 8;

/**
 * Runs the step that `table` describes. Memory may grow, but nothing in it may be touched, until
 * the promise resolves.
 */
export async function runSliced(
  kernels: OptimKernels,
  memory: LinearMemory,
  table: number,
): Promise<void> {
  const { taskCount } = new StepRecord(memory).at(table);
  for (let op: number = OP_NORM; op !== OP_NONE; op = kernels.stepAdvance(op, table)) {
    for (let from = 0; from < taskCount; from += TASKS_A_SLICE) {
      kernels.stepTasks(op, table, from, Math.min(taskCount, from + TASKS_A_SLICE));
      await turn();
    }
  }
}
