import { AdaLKernel } from '../../../build/assembly/kernel-constants';
import {
  BLOCK_RECORD_SIZE,
  BlockRecord,
  GROUP_RECORD_SIZE,
  GroupRecord,
  STEP_RECORD_SIZE,
  StepRecord,
  TENSOR_RECORD_SIZE,
  TensorRecord,
} from '../../../build/assembly/optim-records';
import {
  OP_NONE,
  OP_NORM,
  OP_UPDATE,
  STATUS_DONE,
  STATUS_NON_FINITE,
} from '../../../src/memory-layout/constants';
import { AdaLScalars, AdaLValues } from '../adal';
import { StepJobs, settle } from '../step';

/**
 * Two tensors of 16 elements, gradients 1 and 2 throughout, each one block and one task. Returns
 * the table.
 */
function describeTable(): StepRecord {
  const bytes =
    STEP_RECORD_SIZE + 2 * TENSOR_RECORD_SIZE + GROUP_RECORD_SIZE + 2 * BLOCK_RECORD_SIZE;
  const at = heap.alloc(bytes + 64 + 64 + 8 * 64);
  memory.fill(at, 0, bytes + 64 + 64 + 8 * 64);
  const step = changetype<StepRecord>(at);
  const tensors = at + STEP_RECORD_SIZE;
  const group = tensors + 2 * TENSOR_RECORD_SIZE;
  const blocks = group + GROUP_RECORD_SIZE;
  const tasks = at + bytes;
  const partials = tasks + 64;
  const data = partials + 64;
  step.tensors = tensors;
  step.tensorCount = 2;
  step.blocks = blocks;
  step.tasks = tasks;
  step.taskCount = 2;
  step.partials = partials;
  const groupRecord = changetype<GroupRecord>(group);
  groupRecord.kernel = AdaLKernel;
  const values = changetype<AdaLValues>(groupRecord.values);
  values.stepSize = 0.5;
  values.beta1 = 0.9;
  values.beta2 = 0.999;
  for (let j: u32 = 0; j < 2; j++) {
    const tensor = changetype<TensorRecord>(tensors + j * TENSOR_RECORD_SIZE);
    const own = data + j * 256;
    tensor.param = own;
    tensor.grad = own + 64;
    tensor.state0 = own + 128;
    tensor.state1 = own + 192;
    tensor.group = group;
    tensor.blockCount = 1;
    const scalars = changetype<AdaLScalars>(tensor.scalars);
    scalars.beta1Power = 1;
    scalars.beta2Power = 1;
    for (let i = 0; i < 16; i++) store<f32>(own + 64 + (i << 2), <f32>(j + 1));
    const block = changetype<BlockRecord>(blocks + j * BLOCK_RECORD_SIZE);
    block.tensor = changetype<usize>(tensor);
    block.length = 16;
    store<u32>(tasks + (j << 2), j);
  }
  store<u32>(tasks, 2, 8);
  return step;
}

function tensorOf(step: StepRecord, index: usize): TensorRecord {
  return changetype<TensorRecord>(step.tensors + index * TENSOR_RECORD_SIZE);
}

function run(op: i32, step: StepRecord, task: u32): void {
  changetype<StepJobs>(0).run(op, changetype<usize>(step), task, 0);
}

function runAll(step: StepRecord): void {
  let op = OP_NORM;
  while (op !== OP_NONE) {
    for (let task: u32 = 0; task < 2; task++) run(op, step, task);
    op = changetype<StepJobs>(0).advance(op, changetype<usize>(step));
  }
}

describe('a step', () => {
  it('sums norms, updates every tensor and counts the step', () => {
    const step = describeTable();
    runAll(step);
    expect(step.status).toBe(STATUS_DONE);
    expect(step.gradNorm).toBe(48);
    expect(tensorOf(step, 1).norm).toBe(32);
    for (let j: usize = 0; j < 2; j++) {
      const tensor = tensorOf(step, j);
      expect(tensor.step).toBe(1);
      expect(changetype<AdaLScalars>(tensor.scalars).beta1Power).toBe(0.9);
      expect(load<f32>(tensor.param)).toBeCloseTo(-0.5, 6);
    }
  });

  it('opens the update once the norms are known', () => {
    const step = describeTable();
    run(OP_NORM, step, 0);
    run(OP_NORM, step, 1);
    expect(changetype<StepJobs>(0).advance(OP_NORM, changetype<usize>(step))).toBe(OP_UPDATE);
    expect(step.gradNorm).toBe(48);
  });

  it('refuses a gradient that is not finite before anything has changed', () => {
    const step = describeTable();
    store<f32>(tensorOf(step, 1).grad, f32.NaN, 60);
    runAll(step);
    expect(step.status).toBe(STATUS_NON_FINITE);
    for (let j: usize = 0; j < 2; j++) {
      expect(tensorOf(step, j).step).toBe(0);
      expect(load<f32>(tensorOf(step, j).param)).toBe(0);
    }
  });

  it('passes over a tensor without blocks', () => {
    const step = describeTable();
    tensorOf(step, 1).blockCount = 0;
    store<u32>(step.tasks, 1, 4);
    run(OP_NORM, step, 0);
    expect(settle(step)).toBe(true);
    expect(step.gradNorm).toBe(16);
    expect(tensorOf(step, 1).step).toBe(0);
  });
});
