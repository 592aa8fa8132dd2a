import {
  BLOCK_FIRST,
  BLOCK_LENGTH,
  BLOCK_SIZE,
  BLOCK_TENSOR,
  GROUP_BETA1,
  GROUP_BETA2,
  GROUP_STEP_SIZE,
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  STATUS_DONE,
  STATUS_NON_FINITE,
  STEP_BLOCKS,
  STEP_GLOBAL_NORM,
  STEP_GRAD_NORM,
  STEP_PARTIALS,
  STEP_SIZE,
  STEP_STATUS,
  STEP_TASK_COUNT,
  STEP_TASKS,
  STEP_TENSOR_COUNT,
  STEP_TENSORS,
  TENSOR_BETA1_POWER,
  TENSOR_BETA2_POWER,
  TENSOR_BLOCK_COUNT,
  TENSOR_GRAD,
  TENSOR_GROUP,
  TENSOR_NORM,
  TENSOR_PARAM,
  TENSOR_SIZE,
  TENSOR_STATE0,
  TENSOR_STATE1,
  TENSOR_STEP,
} from '../../../src/memory-layout/constants';
import { StepJobs, settle } from '../step';

/**
 * Two tensors of 16 elements, gradients 1 and 2 throughout, each one block and one task. Returns
 * the table.
 */
function describeTable(): usize {
  const bytes = STEP_SIZE + 2 * TENSOR_SIZE + 64 + 2 * BLOCK_SIZE + 64 + 64 + 8 * 64;
  const table = heap.alloc(bytes);
  memory.fill(table, 0, bytes);
  const tensors = table + STEP_SIZE;
  const group = tensors + 2 * TENSOR_SIZE;
  const blocks = group + 64;
  const tasks = blocks + 2 * BLOCK_SIZE;
  const partials = tasks + 64;
  const data = partials + 64;
  store<u32>(table, <u32>tensors, STEP_TENSORS);
  store<u32>(table, 2, STEP_TENSOR_COUNT);
  store<u32>(table, <u32>blocks, STEP_BLOCKS);
  store<u32>(table, <u32>tasks, STEP_TASKS);
  store<u32>(table, 2, STEP_TASK_COUNT);
  store<u32>(table, <u32>partials, STEP_PARTIALS);
  store<f64>(group, 0.5, GROUP_STEP_SIZE);
  store<f64>(group, 0.9, GROUP_BETA1);
  store<f64>(group, 0.999, GROUP_BETA2);
  for (let j: u32 = 0; j < 2; j++) {
    const tensor = tensors + j * TENSOR_SIZE;
    const own = data + j * 256;
    store<u32>(tensor, <u32>own, TENSOR_PARAM);
    store<u32>(tensor, <u32>(own + 64), TENSOR_GRAD);
    store<u32>(tensor, <u32>(own + 128), TENSOR_STATE0);
    store<u32>(tensor, <u32>(own + 192), TENSOR_STATE1);
    store<u32>(tensor, <u32>group, TENSOR_GROUP);
    store<u32>(tensor, 1, TENSOR_BLOCK_COUNT);
    store<f64>(tensor, 1.0, TENSOR_BETA1_POWER);
    store<f64>(tensor, 1.0, TENSOR_BETA2_POWER);
    for (let i = 0; i < 16; i++) store<f32>(own + 64 + (i << 2), <f32>(j + 1));
    const block = blocks + j * BLOCK_SIZE;
    store<u32>(block, <u32>tensor, BLOCK_TENSOR);
    store<u32>(block, 0, BLOCK_FIRST);
    store<u32>(block, 16, BLOCK_LENGTH);
    store<u32>(tasks + (j << 2), j);
  }
  store<u32>(tasks, 2, 8);
  return table;
}

function tensorOf(table: usize, index: usize): usize {
  return load<u32>(table, STEP_TENSORS) + index * TENSOR_SIZE;
}

function runAll(table: usize): void {
  let op = OP_NORM;
  while (op !== OP_NONE) {
    for (let task: u32 = 0; task < 2; task++) changetype<StepJobs>(0).run(op, table, task, 0);
    op = changetype<StepJobs>(0).advance(op, table);
  }
}

describe('a step', () => {
  it('sums norms, updates every tensor and counts the step', () => {
    const table = describeTable();
    runAll(table);
    expect(load<i32>(table, STEP_STATUS)).toBe(STATUS_DONE);
    expect(load<f64>(table, STEP_GRAD_NORM)).toBe(48);
    expect(load<f64>(tensorOf(table, 1), TENSOR_NORM)).toBe(32);
    for (let j: usize = 0; j < 2; j++) {
      const tensor = tensorOf(table, j);
      expect(load<i32>(tensor, TENSOR_STEP)).toBe(1);
      expect(load<f64>(tensor, TENSOR_BETA1_POWER)).toBe(0.9);
      expect(load<f32>(load<u32>(tensor, TENSOR_PARAM))).toBeCloseTo(-0.5, 6);
    }
  });

  it('gives every tensor the whole norm where that is asked for', () => {
    const table = describeTable();
    store<i32>(table, 1, STEP_GLOBAL_NORM);
    changetype<StepJobs>(0).run(OP_NORM, table, 0, 0);
    changetype<StepJobs>(0).run(OP_NORM, table, 1, 0);
    expect(changetype<StepJobs>(0).advance(OP_NORM, table)).toBe(OP_UPDATE);
    expect(load<f64>(table, STEP_GRAD_NORM)).toBe(48);
  });

  it('refuses a gradient that is not finite before anything has changed', () => {
    const table = describeTable();
    store<f32>(load<u32>(tensorOf(table, 1), TENSOR_GRAD), f32.NaN, 60);
    runAll(table);
    expect(load<i32>(table, STEP_STATUS)).toBe(STATUS_NON_FINITE);
    for (let j: usize = 0; j < 2; j++) {
      expect(load<i32>(tensorOf(table, j), TENSOR_STEP)).toBe(0);
      expect(load<f32>(load<u32>(tensorOf(table, j), TENSOR_PARAM))).toBe(0);
    }
  });

  it('passes over a tensor without blocks', () => {
    const table = describeTable();
    store<u32>(tensorOf(table, 1), 0, TENSOR_BLOCK_COUNT);
    store<u32>(load<u32>(table, STEP_TASKS), 1, 4);
    changetype<StepJobs>(0).run(OP_NORM, table, 0, 0);
    expect(settle(table)).toBe(true);
    expect(load<f64>(table, STEP_GRAD_NORM)).toBe(16);
    expect(load<i32>(tensorOf(table, 1), TENSOR_STEP)).toBe(0);
  });
});
