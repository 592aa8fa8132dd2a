/**
 * How threads share a kernel's call, described by a job record (src/memory-layout/nn-layout.ts): every task
 * computes a part of the result as one thread would. Sums are never cut, so neither threads nor
 * tasks change a bit.
 *
 *   products               columns of C, or rows where C is narrow
 *   convolution, pooling   images
 *   ReLU, bias             elements, rows
 *   weight gradient        a group of images a task; a phase has CONV_SUMS groups a thread, and adds their sums in order
 */
import {
  CONV_GROUP,
  CONV_SUMS,
  GEMM_PANEL,
  SHARED_BIAS_ADD,
  SHARED_CONV,
  SHARED_CONV_INPUT,
  SHARED_CONV_WEIGHT,
  SHARED_DONE,
  SHARED_GEMM_NT,
  SHARED_GEMM_TN,
  SHARED_IN,
  SHARED_K,
  SHARED_M,
  SHARED_MAX_POOL,
  SHARED_N,
  SHARED_OUT,
  SHARED_RELU,
  SHARED_SCRATCH,
  SHARED_SCRATCH_STEP,
  SHARED_TASKS,
  SHARED_THREADS,
  SHARED_WITH,
  WINDOW_IN_CHANNELS,
  WINDOW_OUT_CHANNELS,
} from '../src/memory-layout/nn-layout';
import { Jobs } from './jobs';
import { OP_NONE, UNROLL } from './layout';
import { groupGradient, weightGradientOfGroup } from './math/conv';
import { gemmPart } from './math/gemm';
import { addFloats } from './math/partial';
import { imageFloats, patchFloats, positionsOf } from './math/window';
import { biasAdd } from './nn/bias';
import { conv2d, conv2dInputGrad } from './nn/conv2d';
import { maxPool2d, maxPool2dGrad } from './nn/max-pool2d';
import { relu, reluGrad } from './nn/relu';

/** The jobs of the nn module: `arg` is a job record. */
@unmanaged
export class KernelJobs extends Jobs {
  run(op: i32, record: usize, task: u32, thread: u32): void {
    const scratch = scratchOf(record, thread);
    if (op === SHARED_CONV_WEIGHT) sumGroup(record, task, scratch);
    else if (op >= SHARED_RELU) visitElements(op, record, task);
    else if (op >= SHARED_CONV) visitImages(op, record, task, scratch);
    else multiplyPart(op, record, task, scratch);
  }

  advance(op: i32, record: usize): i32 {
    return op === SHARED_CONV_WEIGHT && addGroups(record) ? op : OP_NONE;
  }

  taskCount(op: i32, record: usize): u32 {
    if (op !== SHARED_CONV_WEIGHT) return load<u32>(record, SHARED_TASKS);
    return groupsNow(record);
  }
}

function scratchOf(record: usize, thread: u32): usize {
  return (
    <usize>load<u32>(record, SHARED_SCRATCH) +
    <usize>(thread * load<u32>(record, SHARED_SCRATCH_STEP))
  );
}

/**
 * The first of the items that belong to `task`, of `count` that are cut into `tasks` parts at
 * multiples of `unit`.
 */
function cut(task: i32, tasks: i32, count: i32, unit: i32): i32 {
  const units = (count + unit - 1) / unit;
  return min(count, unit * <i32>((<i64>units * task) / tasks));
}

function multiplyPart(op: i32, record: usize, task: i32, scratch: usize): void {
  const m = load<i32>(record, SHARED_M);
  const n = load<i32>(record, SHARED_N);
  const k = load<i32>(record, SHARED_K);
  const tasks = load<i32>(record, SHARED_TASKS);
  const c: usize = load<u32>(record, SHARED_OUT);
  const a: usize = load<u32>(record, SHARED_IN);
  const b: usize = load<u32>(record, SHARED_WITH);
  let top = 0;
  let bottom = m;
  let left = 0;
  let right = n;
  // By columns nothing is packed twice but a transposed A; by rows, all of B.
  if (n >= tasks * GEMM_PANEL) {
    left = cut(task, tasks, n, GEMM_PANEL);
    right = cut(task + 1, tasks, n, GEMM_PANEL);
  } else {
    top = cut(task, tasks, m, 2);
    bottom = cut(task + 1, tasks, m, 2);
  }
  const bTransposed = op === SHARED_GEMM_NT;
  gemmPart(c, a, b, m, n, k, top, bottom, left, right, scratch, op === SHARED_GEMM_TN, bTransposed);
}

/** What `op` does, on the images of one task. */
function visitImages(op: i32, record: usize, task: i32, scratch: usize): void {
  const window: usize = load<u32>(record, SHARED_M);
  const tasks = load<i32>(record, SHARED_TASKS);
  const images = load<i32>(record, SHARED_N);
  const first = cut(task, tasks, images, 1);
  const count = cut(task + 1, tasks, images, 1) - first;
  const convolution = op <= SHARED_CONV_WEIGHT;
  const channels = load<i32>(window + (convolution ? WINDOW_OUT_CHANNELS : WINDOW_IN_CHANNELS));
  const large = (<usize>first * imageFloats(window)) << 2;
  const small = (<usize>first * positionsOf(window) * channels) << 2;
  const out: usize = load<u32>(record, SHARED_OUT);
  const given: usize = load<u32>(record, SHARED_IN);
  const other: usize = load<u32>(record, SHARED_WITH);
  if (op === SHARED_CONV) conv2d(out + small, given + large, other, window, count, scratch);
  else if (op === SHARED_CONV_INPUT)
    conv2dInputGrad(out + large, given + small, other, window, count, scratch);
  else if (op === SHARED_MAX_POOL)
    maxPool2d(out + small, other ? other + small : 0, given + large, window, count);
  else maxPool2dGrad(out + large, given + small, other + small, window, count);
}

/**
 * What `op` does, on the elements of one task: whole turns of the loops, so that parts begin where
 * vectors may.
 */
function visitElements(op: i32, record: usize, task: i32): void {
  const tasks = load<i32>(record, SHARED_TASKS);
  const n = load<i32>(record, SHARED_N);
  const out: usize = load<u32>(record, SHARED_OUT);
  const given: usize = load<u32>(record, SHARED_IN);
  if (op === SHARED_BIAS_ADD) {
    const rows = load<i32>(record, SHARED_M);
    const top = cut(task, tasks, rows, UNROLL);
    biasAdd(out + ((<usize>top * n) << 2), given, cut(task + 1, tasks, rows, UNROLL) - top, n);
    return;
  }
  const first = cut(task, tasks, n, UNROLL);
  const count = cut(task + 1, tasks, n, UNROLL) - first;
  const at = (<usize>first) << 2;
  if (op === SHARED_RELU) relu(out + at, given + at, count);
  else reluGrad(out + at, given + at, <usize>load<u32>(record, SHARED_WITH) + at, count);
}

/** Groups of the phase under way: as many as there are sums, while there are any. */
function groupsNow(record: usize): i32 {
  const groups = (load<i32>(record, SHARED_N) + CONV_GROUP - 1) / CONV_GROUP;
  return min(
    CONV_SUMS * load<i32>(record, SHARED_THREADS),
    groups - load<i32>(record, SHARED_DONE),
  );
}

/** Where the sum of the phase's group number `task` goes: the first of all into dW itself. */
function sumOf(record: usize, task: u32): usize {
  if (load<i32>(record, SHARED_DONE) === 0 && task === 0) return load<u32>(record, SHARED_OUT);
  const threads = load<u32>(record, SHARED_THREADS);
  return groupGradient(
    load<u32>(record, SHARED_M),
    scratchOf(record, task % threads),
    task / threads,
  );
}

function sumGroup(record: usize, task: u32, scratch: usize): void {
  const group = load<i32>(record, SHARED_DONE) + <i32>task;
  const dy: usize = load<u32>(record, SHARED_IN);
  const x: usize = load<u32>(record, SHARED_WITH);
  const images = load<i32>(record, SHARED_N);
  weightGradientOfGroup(
    sumOf(record, task),
    group,
    dy,
    x,
    load<u32>(record, SHARED_M),
    images,
    scratch,
  );
}

/** dW += the phase's sums, in order. Whether there are more groups. */
function addGroups(record: usize): bool {
  const window: usize = load<u32>(record, SHARED_M);
  const dw: usize = load<u32>(record, SHARED_OUT);
  const weights = load<i32>(window, WINDOW_OUT_CHANNELS) * patchFloats(window);
  const groups = groupsNow(record);
  for (let task = 0; task < groups; ++task) {
    const sum = sumOf(record, task);
    if (sum !== dw) addFloats(dw, sum, weights);
  }
  store<i32>(record, load<i32>(record, SHARED_DONE) + groups, SHARED_DONE);
  return groupsNow(record) > 0;
}
