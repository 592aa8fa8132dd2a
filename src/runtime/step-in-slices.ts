/**
 * Runs a step on one thread in slices and yields to the event loop between them: `stepAsync`
 * without workers.
 */
import { StepRecord } from '../../build/optim-records';
import { OP_NONE, OP_NORM, OP_UPDATE } from '../memory-layout/constants';
import type { OptimKernels } from './kernels-optim';
import type { LinearMemory } from './memory';
import { yieldToEventLoop } from './yield-to-event-loop';

/** Tasks between two yields to the event loop: about 0.1 ms of a SIMD step. */
export const TASKS_PER_SLICE = 8;

/**
 * Runs the step that `table` describes. Until the promise resolves, memory may grow, but nothing
 * may read or write it.
 */
export async function stepInSlices(
  kernels: OptimKernels,
  memory: LinearMemory,
  table: number,
): Promise<void> {
  const step = new StepRecord(memory).at(table);
  for (let op: number = OP_NORM; op !== OP_NONE; op = kernels.stepAdvance(op, table)) {
    const ofMatrix = op > OP_UPDATE;
    const taskCount = ofMatrix ? step.matrixTaskCount : step.taskCount;
    const most = ofMatrix ? 1 : TASKS_PER_SLICE;
    for (let from = 0; from < taskCount; from += most) {
      kernels.stepTasks(op, table, from, Math.min(taskCount, from + most));
      await yieldToEventLoop();
    }
  }
}
