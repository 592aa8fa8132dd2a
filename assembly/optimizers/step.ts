/**
 * A whole optimizer step as one job of two phases: the gradient norms of all tensors, then the
 * update of all tensors. Between them `settle` decides, once, whether the step is accepted: until
 * then nothing but scratch has been written.
 */
import { nextNormMean, spikeFactor } from '../../src/memory-layout/adal-scalars';
import { Jobs } from '../jobs';
import {
  BLOCK_FIRST,
  BLOCK_LENGTH,
  BLOCK_SIZE,
  BLOCK_TENSOR,
  FLUSH_INTERVAL,
  GROUP_BETA1,
  GROUP_BETA2,
  GROUP_NORM_LIMIT,
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  PARTIAL_SIZE,
  RULE_ADAL,
  SCRATCH_SIZE,
  STATUS_DONE,
  STATUS_NON_FINITE,
  STATUS_OVERFLOW,
  STEP_BLOCKS,
  STEP_GLOBAL_NORM,
  STEP_GRAD_NORM,
  STEP_NORM_RATIO,
  STEP_OFFENDER,
  STEP_PARTIALS,
  STEP_RULE,
  STEP_SCRATCH,
  STEP_STATUS,
  STEP_TASK_COUNT,
  STEP_TASKS,
  STEP_TENSOR_COUNT,
  STEP_TENSORS,
  TENSOR_BETA1_POWER,
  TENSOR_BETA2_POWER,
  TENSOR_BLOCK_COUNT,
  TENSOR_CLIP,
  TENSOR_CONSTANTS,
  TENSOR_EXPONENT,
  TENSOR_FLUSH,
  TENSOR_GROUP,
  TENSOR_NEXT_EXPONENT,
  TENSOR_NEXT_NORM_MEAN,
  TENSOR_NEXT_V,
  TENSOR_NORM,
  TENSOR_NORM_MEAN,
  TENSOR_SIZE,
  TENSOR_STEP,
  TENSOR_V,
} from '../layout';
import { prepareAdaL } from './adal';
import { clipNorms, measureBlock, sumNorms } from './norms';
import { updateBlock } from './update';

/** The jobs of the optim module: `arg` is a step table. */
@unmanaged
export class StepJobs extends Jobs {
  run(op: i32, table: usize, task: u32, thread: u32): void {
    const tasks: usize = load<u32>(table, STEP_TASKS) + (task << 2);
    const blocks: usize = load<u32>(table, STEP_BLOCKS);
    const partials: usize = load<u32>(table, STEP_PARTIALS);
    const scratch: usize = load<u32>(table, STEP_SCRATCH) + thread * SCRATCH_SIZE;
    const end = load<u32>(tasks, 4);
    for (let i = load<u32>(tasks); i < end; i++) {
      const block = blocks + i * BLOCK_SIZE;
      const tensor: usize = load<u32>(block, BLOCK_TENSOR);
      const first: usize = load<u32>(block, BLOCK_FIRST);
      const length: usize = load<u32>(block, BLOCK_LENGTH);
      if (op === OP_NORM)
        measureBlock(table, tensor, first, length, partials + i * PARTIAL_SIZE, scratch);
      else updateBlock(table, tensor, first, length, scratch);
    }
  }

  advance(op: i32, table: usize): i32 {
    return op === OP_NORM && settle(table) ? OP_UPDATE : OP_NONE;
  }

  taskCount(op: i32, table: usize): u32 {
    return load<u32>(table, STEP_TASK_COUNT);
  }
}

/**
 * Norms from partials, the finite check, clipping, all scalars; then acceptance of the whole step,
 * or of none of it.
 */
export function settle(table: usize): bool {
  const first: usize = load<u32>(table, STEP_TENSORS);
  const end = first + load<u32>(table, STEP_TENSOR_COUNT) * TENSOR_SIZE;
  const gradNorm = sumNorms(table, first, end);
  store<f64>(table, gradNorm, STEP_GRAD_NORM);
  if (!isFinite(gradNorm)) {
    store<i32>(table, STATUS_NON_FINITE, STEP_STATUS);
    return false;
  }
  const total = clipNorms(table, first, end);
  const global = load<i32>(table, STEP_GLOBAL_NORM);
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    if (isFrozen(tensor)) continue;
    const own = load<f64>(tensor, TENSOR_CLIP) * load<f64>(tensor, TENSOR_NORM);
    if (!prepare(table, tensor, global ? total : own)) {
      store<i32>(table, STATUS_OVERFLOW, STEP_STATUS);
      store<u32>(table, <u32>tensor, STEP_OFFENDER);
      return false;
    }
  }
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    if (!isFrozen(tensor)) accept(tensor);
  }
  store<i32>(table, STATUS_DONE, STEP_STATUS);
  return true;
}

/**
 * What the tensor's update needs to know of the norms; S is its scope's, clipped. False: the step
 * is to be refused.
 */
function prepare(table: usize, tensor: usize, S: f64): bool {
  const r = load<f64>(tensor, TENSOR_CLIP);
  if (load<i32>(table, STEP_RULE) !== RULE_ADAL) {
    store<f32>(tensor + TENSOR_CONSTANTS, <f32>r);
    return S < load<f64>(<usize>load<u32>(tensor, TENSOR_GROUP), GROUP_NORM_LIMIT);
  }
  const ratio = load<f64>(table, STEP_NORM_RATIO);
  if (ratio === 0) return prepareAdaL(tensor, S, r, 1);
  const mean = load<f64>(tensor, TENSOR_NORM_MEAN);
  store<f64>(tensor, nextNormMean(ratio, mean, S), TENSOR_NEXT_NORM_MEAN);
  return prepareAdaL(tensor, S, r, spikeFactor(ratio, mean, S));
}

/** A frozen tensor has no blocks: it is in no norm, and nothing of it moves. */
function isFrozen(tensor: usize): bool {
  return load<u32>(tensor, TENSOR_BLOCK_COUNT) === 0;
}

/** Advances the tensor's own counters to the step that `prepare` described. */
function accept(tensor: usize): void {
  const group: usize = load<u32>(tensor, TENSOR_GROUP);
  const t = load<i32>(tensor, TENSOR_STEP) + 1;
  store<i32>(tensor, t, TENSOR_STEP);
  store<i32>(tensor, t % FLUSH_INTERVAL === 0 ? 1 : 0, TENSOR_FLUSH);
  store<f64>(
    tensor,
    load<f64>(tensor, TENSOR_BETA1_POWER) * load<f64>(group, GROUP_BETA1),
    TENSOR_BETA1_POWER,
  );
  store<f64>(
    tensor,
    load<f64>(tensor, TENSOR_BETA2_POWER) * load<f64>(group, GROUP_BETA2),
    TENSOR_BETA2_POWER,
  );
  store<f64>(tensor, load<f64>(tensor, TENSOR_NEXT_V), TENSOR_V);
  store<i32>(tensor, load<i32>(tensor, TENSOR_NEXT_EXPONENT), TENSOR_EXPONENT);
  store<f64>(tensor, load<f64>(tensor, TENSOR_NEXT_NORM_MEAN), TENSOR_NORM_MEAN);
}
