/**
 * A whole optimizer step as one job of two phases: the gradient norms of all tensors, then the update of all tensors.
 * Between them `settle` decides, once, whether the step is accepted: until then nothing but scratch has been written.
 */
import { Jobs } from '../jobs';
import {
  BLOCK_FIRST,
  BLOCK_LENGTH,
  BLOCK_SIZE,
  BLOCK_TENSOR,
  FLUSH_INTERVAL,
  GROUP_BETA1,
  GROUP_BETA2,
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  RULE_ADABELIEF,
  RULE_ADABOUND,
  RULE_ADAGRAD,
  RULE_ADAL,
  RULE_ADAM,
  RULE_AMSGRAD,
  RULE_LION,
  RULE_NADAM,
  RULE_RADAM,
  RULE_RMSPROP,
  RULE_RMSPROP_CENTERED,
  RULE_RMSPROP_CENTERED_MOMENTUM,
  RULE_RMSPROP_MOMENTUM,
  RULE_SCHEDULE_FREE,
  RULE_SGD,
  RULE_SGD_MOMENTUM,
  STATUS_DONE,
  STATUS_NON_FINITE,
  STATUS_OVERFLOW,
  STEP_BLOCKS,
  STEP_GLOBAL_NORM,
  STEP_GRAD_NORM,
  STEP_NORM_LIMIT,
  STEP_OFFENDER,
  STEP_PARTIALS,
  STEP_RULE,
  STEP_STATUS,
  STEP_TASK_COUNT,
  STEP_TASKS,
  STEP_TENSOR_COUNT,
  STEP_TENSORS,
  TENSOR_BETA1_POWER,
  TENSOR_BETA2_POWER,
  TENSOR_BLOCK_COUNT,
  TENSOR_EXPONENT,
  TENSOR_FLUSH,
  TENSOR_GRAD,
  TENSOR_GROUP,
  TENSOR_NEXT_EXPONENT,
  TENSOR_NEXT_V,
  TENSOR_NORM,
  TENSOR_SIZE,
  TENSOR_STEP,
  TENSOR_V,
} from '../layout';
import { Magnitude, sumBlock } from '../math/reduce';
import { AdaBelief } from './adabelief';
import { AdaBound } from './adabound';
import { Adagrad } from './adagrad';
import { AdaL, prepareAdaL } from './adal';
import { Adam } from './adam';
import { AMSGrad } from './amsgrad';
import { drive } from './driver';
import { Lion } from './lion';
import { NAdam } from './nadam';
import { RAdam } from './radam';
import { RMSProp, RMSPropCentered, RMSPropCenteredMomentum, RMSPropMomentum } from './rmsprop';
import { ScheduleFree } from './schedule-free';
import { SGD, SGDMomentum } from './sgd';

/** The jobs of the optim module: `arg` is a step table. */
@unmanaged
export class StepJobs extends Jobs {
  run(op: i32, table: usize, task: u32): void {
    const tasks: usize = load<u32>(table, STEP_TASKS) + (task << 2);
    const blocks: usize = load<u32>(table, STEP_BLOCKS);
    const partials: usize = load<u32>(table, STEP_PARTIALS);
    const end = load<u32>(tasks, 4);
    for (let i = load<u32>(tasks); i < end; i++) {
      const block = blocks + i * BLOCK_SIZE;
      const tensor: usize = load<u32>(block, BLOCK_TENSOR);
      const first: usize = load<u32>(block, BLOCK_FIRST);
      const length: usize = load<u32>(block, BLOCK_LENGTH);
      if (op === OP_NORM) {
        const g: usize = load<u32>(tensor, TENSOR_GRAD) + (first << 2);
        store<f64>(partials + (i << 3), sumBlock<Magnitude>(g, g, length << 2));
      } else {
        update(load<i32>(table, STEP_RULE), tensor, first, length);
      }
    }
  }

  advance(op: i32, table: usize): i32 {
    return op === OP_NORM && settle(table) ? OP_UPDATE : OP_NONE;
  }

  taskCount(op: i32, table: usize): u32 {
    return load<u32>(table, STEP_TASK_COUNT);
  }
}

/** Runs a block's update under the table's rule. */
function update(rule: i32, tensor: usize, first: usize, length: usize): void {
  switch (rule) {
    case RULE_ADAL:
      return drive<AdaL>(tensor, first, length);
    case RULE_SGD:
      return drive<SGD>(tensor, first, length);
    case RULE_SGD_MOMENTUM:
      return drive<SGDMomentum>(tensor, first, length);
    case RULE_ADAGRAD:
      return drive<Adagrad>(tensor, first, length);
    case RULE_RMSPROP:
      return drive<RMSProp>(tensor, first, length);
    case RULE_RMSPROP_MOMENTUM:
      return drive<RMSPropMomentum>(tensor, first, length);
    case RULE_RMSPROP_CENTERED:
      return drive<RMSPropCentered>(tensor, first, length);
    case RULE_RMSPROP_CENTERED_MOMENTUM:
      return drive<RMSPropCenteredMomentum>(tensor, first, length);
    case RULE_ADAM:
      return drive<Adam>(tensor, first, length);
    case RULE_AMSGRAD:
      return drive<AMSGrad>(tensor, first, length);
    case RULE_NADAM:
      return drive<NAdam>(tensor, first, length);
    case RULE_RADAM:
      return drive<RAdam>(tensor, first, length);
    case RULE_ADABELIEF:
      return drive<AdaBelief>(tensor, first, length);
    case RULE_ADABOUND:
      return drive<AdaBound>(tensor, first, length);
    case RULE_LION:
      return drive<Lion>(tensor, first, length);
    case RULE_SCHEDULE_FREE:
      return drive<ScheduleFree>(tensor, first, length);
  }
}

/** Norms from partials, the finite check, all scalars; then acceptance of the whole step, or of none of it. */
export function settle(table: usize): bool {
  const first: usize = load<u32>(table, STEP_TENSORS);
  const end = first + load<u32>(table, STEP_TENSOR_COUNT) * TENSOR_SIZE;
  const total = sumNorms(table, first, end);
  store<f64>(table, total, STEP_GRAD_NORM);
  if (!isFinite(total)) {
    store<i32>(table, STATUS_NON_FINITE, STEP_STATUS);
    return false;
  }
  const global = load<i32>(table, STEP_GLOBAL_NORM);
  const adal = load<i32>(table, STEP_RULE) === RULE_ADAL;
  const limit = load<f64>(table, STEP_NORM_LIMIT);
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    if (isFrozen(tensor)) continue;
    const S = global ? total : load<f64>(tensor, TENSOR_NORM);
    if (!(adal ? prepareAdaL(tensor, S) : S < limit)) {
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

/** Σ|g| of each tensor in block order, and of all in tensor order. */
function sumNorms(table: usize, first: usize, end: usize): f64 {
  let partial: usize = load<u32>(table, STEP_PARTIALS);
  let total: f64 = 0;
  for (let tensor = first; tensor < end; tensor += TENSOR_SIZE) {
    let sum: f64 = 0;
    for (let left = load<u32>(tensor, TENSOR_BLOCK_COUNT); left > 0; left--) {
      sum += load<f64>(partial);
      partial += 8;
    }
    store<f64>(tensor, sum, TENSOR_NORM);
    total += sum;
  }
  return total;
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
  store<f64>(tensor, load<f64>(tensor, TENSOR_BETA1_POWER) * load<f64>(group, GROUP_BETA1), TENSOR_BETA1_POWER);
  store<f64>(tensor, load<f64>(tensor, TENSOR_BETA2_POWER) * load<f64>(group, GROUP_BETA2), TENSOR_BETA2_POWER);
  store<f64>(tensor, load<f64>(tensor, TENSOR_NEXT_V), TENSOR_V);
  store<i32>(tensor, load<i32>(tensor, TENSOR_NEXT_EXPONENT), TENSOR_EXPONENT);
}
