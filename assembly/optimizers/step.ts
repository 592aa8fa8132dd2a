/**
 * A whole optimizer step as one job of two phases: the gradient norms of all tensors, then the
 * update of all tensors, which more phases complete for matrices. Between the two `settle` decides,
 * once, whether the step is accepted: until then nothing but scratch has been written.
 */
import { prepareKernel } from '../../build/assembly/kernel-dispatch';
import {
  BLOCK_RECORD_SIZE,
  BlockRecord,
  GroupRecord,
  PARTIAL_RECORD_SIZE,
  PartialRecord,
  StepRecord,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../build/assembly/optim-records';
import {
  FLUSH_INTERVAL,
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  SCRATCH_SIZE,
  STATUS_DONE,
  STATUS_NON_FINITE,
  STATUS_OVERFLOW,
} from '../../src/memory-layout/constants';
import { Jobs } from '../jobs';
import { clipNorms, measureBlock, sumNorms } from './norms';
import { nextMatrixPhase, runMatrixTask } from './orthogonalize';
import { updateBlock } from './update';

/** The jobs of the optim module: `arg` is the address of a StepRecord. */
@unmanaged
export class StepJobs extends Jobs {
  run(op: i32, arg: usize, task: u32, thread: u32): void {
    const step = changetype<StepRecord>(arg);
    if (op > OP_UPDATE) {
      runMatrixTask(step, op, task);
      return;
    }
    const tasks = step.tasks + (task << 2);
    const blocks = step.blocks;
    const partials = step.partials;
    const scratch = step.scratch + thread * SCRATCH_SIZE;
    const end = load<u32>(tasks, 4);
    for (let i = load<u32>(tasks); i < end; i++) {
      const block = changetype<BlockRecord>(blocks + i * BLOCK_RECORD_SIZE);
      const tensor = changetype<TensorRecord>(block.tensor);
      const first: usize = block.first;
      const length: usize = block.length;
      if (op === OP_NORM) {
        const partial = changetype<PartialRecord>(partials + i * PARTIAL_RECORD_SIZE);
        measureBlock(step, tensor, first, length, partial, scratch);
      } else {
        updateBlock(step, tensor, first, length, scratch);
      }
    }
  }

  advance(op: i32, arg: usize): i32 {
    const step = changetype<StepRecord>(arg);
    if (op === OP_NORM) return settle(step) ? OP_UPDATE : OP_NONE;
    return step.matrices ? nextMatrixPhase(step, op) : OP_NONE;
  }

  taskCount(op: i32, arg: usize): u32 {
    const step = changetype<StepRecord>(arg);
    return op > OP_UPDATE ? step.matrixTaskCount : step.taskCount;
  }
}

/**
 * Sums norms from partials, looks for non-finite numbers, clips, computes all constants; then
 * accepts the whole step (true), or none of it.
 */
export function settle(step: StepRecord): bool {
  const first = step.tensors;
  const end = first + step.tensorCount * TENSOR_RECORD_SIZE;
  const gradNorm = sumNorms(step, first, end);
  step.gradNorm = gradNorm;
  if (!isFinite(gradNorm)) {
    step.status = STATUS_NON_FINITE;
    return false;
  }
  const total = clipNorms(step, first, end);
  for (let at = first; at < end; at += TENSOR_RECORD_SIZE) {
    const tensor = changetype<TensorRecord>(at);
    if (isFrozen(tensor)) continue;
    const group = changetype<GroupRecord>(tensor.group);
    if (!prepareKernel(group.kernel, tensor, group, tensor.clip * tensor.norm, total)) {
      step.status = STATUS_OVERFLOW;
      step.offender = at;
      return false;
    }
  }
  for (let at = first; at < end; at += TENSOR_RECORD_SIZE) {
    const tensor = changetype<TensorRecord>(at);
    if (!isFrozen(tensor)) accept(tensor);
  }
  step.status = STATUS_DONE;
  return true;
}

/** A frozen tensor has no blocks: it is in no norm, and nothing of it moves. */
function isFrozen(tensor: TensorRecord): bool {
  return tensor.blockCount === 0;
}

/** Advances the tensor's counters to the step that was prepared. */
function accept(tensor: TensorRecord): void {
  const t = tensor.step + 1;
  tensor.step = t;
  tensor.flush = t % FLUSH_INTERVAL === 0 ? 1 : 0;
  memory.copy(tensor.scalars, tensor.nextScalars, tensor.nextScalars - tensor.scalars);
}
