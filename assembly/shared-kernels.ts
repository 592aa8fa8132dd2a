/**
 * How threads share a kernel call, which a SharedCallRecord describes: each task computes a part of
 * the result exactly as one thread would. Sums are never split, so neither the number of threads
 * nor that of tasks changes a bit.
 *
 *   products               columns of C, or rows where C is narrow
 *   convolution, pooling   images; channels for the weight gradient of a depthwise one
 *   ReLU, bias             elements, rows
 *   weight gradient        a group of images per task; a phase has CONV_SUMS groups per thread, and
 *                          their sums are added in order
 */
import { SharedCallRecord, WindowRecord } from '../build/assembly/nn-records';
import { OP_NONE, UNROLL } from '../src/memory-layout/constants';
import {
  CONV_GROUP,
  CONV_SUMS,
  DEPTHWISE_CHANNELS,
  GEMM_PANEL,
  SHARED_BIAS_ADD,
  SHARED_CONV,
  SHARED_CONV_INPUT,
  SHARED_CONV_WEIGHT,
  SHARED_DEPTHWISE,
  SHARED_DEPTHWISE_INPUT,
  SHARED_DEPTHWISE_WEIGHT,
  SHARED_GEMM_NT,
  SHARED_GEMM_TN,
  SHARED_MAX_POOL,
  SHARED_RELU,
} from '../src/memory-layout/nn-layout';
import { Jobs } from './jobs';
import { groupGradient, weightGradientOfGroup } from './math/conv';
import {
  depthwiseConv2d,
  depthwiseConv2dInputGrad,
  weightGradientOfChannels,
} from './math/depthwise';
import { gemmPart } from './math/gemm';
import { addFloats } from './math/partial';
import { imageFloats, patchFloats, positionsOf } from './math/window';
import { biasAdd } from './nn/bias';
import { conv2d, conv2dInputGrad } from './nn/conv2d';
import { maxPool2d, maxPool2dGrad } from './nn/max-pool2d';
import { relu, reluGrad } from './nn/relu';

/** The jobs of the nn module: `arg` is the address of a SharedCallRecord. */
@unmanaged
export class KernelJobs extends Jobs {
  run(op: i32, arg: usize, task: u32, thread: u32): void {
    const call = changetype<SharedCallRecord>(arg);
    const scratch = scratchOf(call, thread);
    if (op === SHARED_CONV_WEIGHT) sumGroup(call, task, scratch);
    else if (op === SHARED_DEPTHWISE_WEIGHT) weighChannels(call, task, scratch);
    else if (op >= SHARED_RELU) visitElements(op, call, task);
    else if (op >= SHARED_CONV) visitImages(op, call, task, scratch);
    else multiplyPart(op, call, task, scratch);
  }

  advance(op: i32, arg: usize): i32 {
    const call = changetype<SharedCallRecord>(arg);
    return op === SHARED_CONV_WEIGHT && addGroups(call) ? op : OP_NONE;
  }

  taskCount(op: i32, arg: usize): u32 {
    const call = changetype<SharedCallRecord>(arg);
    return op === SHARED_CONV_WEIGHT ? groupsNow(call) : call.tasks;
  }
}

function scratchOf(call: SharedCallRecord, thread: u32): usize {
  return call.scratch + <usize>(thread * call.scratchStep);
}

function windowOf(call: SharedCallRecord): WindowRecord {
  return changetype<WindowRecord>(call.window);
}

/**
 * Returns the first item that belongs to `task`, where `count` items are split into `tasks` parts
 * at multiples of `unit`.
 */
function cut(task: i32, tasks: i32, count: i32, unit: i32): i32 {
  const units = (count + unit - 1) / unit;
  return min(count, unit * <i32>((<i64>units * task) / tasks));
}

function multiplyPart(op: i32, call: SharedCallRecord, task: i32, scratch: usize): void {
  const m = call.m;
  const n = call.n;
  const tasks = call.tasks;
  let top = 0;
  let bottom = m;
  let left = 0;
  let right = n;
  // By columns only a transposed A is packed more than once; by rows, all of B.
  if (n >= tasks * GEMM_PANEL) {
    left = cut(task, tasks, n, GEMM_PANEL);
    right = cut(task + 1, tasks, n, GEMM_PANEL);
  } else {
    top = cut(task, tasks, m, 2);
    bottom = cut(task + 1, tasks, m, 2);
  }
  const aTransposed = op === SHARED_GEMM_TN;
  const bTransposed = op === SHARED_GEMM_NT;
  // biome-ignore format: one line a role
  gemmPart(
    call.out, call.input, call.other, m, n, call.k,
    top, bottom, left, right, scratch, aTransposed, bTransposed,
  );
}

/** Runs `op` on the images of one task. */
function visitImages(op: i32, call: SharedCallRecord, task: i32, scratch: usize): void {
  const window = windowOf(call);
  const first = cut(task, call.tasks, call.count, 1);
  const count = cut(task + 1, call.tasks, call.count, 1) - first;
  const channels = op < SHARED_MAX_POOL ? window.outChannels : window.inChannels;
  const large = (<usize>first * imageFloats(window)) << 2;
  const small = (<usize>first * positionsOf(window) * channels) << 2;
  const out = call.out;
  const input = call.input;
  const other = call.other;
  if (op === SHARED_CONV) conv2d(out + small, input + large, other, window, count, scratch);
  else if (op === SHARED_CONV_INPUT)
    conv2dInputGrad(out + large, input + small, other, window, count, scratch);
  else if (op === SHARED_DEPTHWISE)
    depthwiseConv2d(out + small, input + large, other, window, count, scratch);
  else if (op === SHARED_DEPTHWISE_INPUT)
    depthwiseConv2dInputGrad(out + large, input + small, other, window, count, scratch);
  else if (op === SHARED_MAX_POOL)
    maxPool2d(out + small, other ? other + small : 0, input + large, window, count);
  else maxPool2dGrad(out + large, input + small, other + small, window, count);
}

/** Computes the depthwise weight gradient for the channels of one task. */
function weighChannels(call: SharedCallRecord, task: i32, scratch: usize): void {
  const window = windowOf(call);
  const channels = window.outChannels;
  const begin = cut(task, call.tasks, channels, DEPTHWISE_CHANNELS);
  const end = cut(task + 1, call.tasks, channels, DEPTHWISE_CHANNELS);
  // biome-ignore format: one line a role
  weightGradientOfChannels(
    call.out, call.input, call.other, window, call.count, scratch, begin, end,
  );
}

/**
 * Runs `op` on the elements of one task: whole 64-byte turns, so that parts begin where vectors
 * may.
 */
function visitElements(op: i32, call: SharedCallRecord, task: i32): void {
  const first = cut(task, call.tasks, call.count, UNROLL);
  const count = cut(task + 1, call.tasks, call.count, UNROLL) - first;
  const out = call.out;
  const input = call.input;
  const at = (<usize>first) << 2;
  if (op === SHARED_BIAS_ADD) biasAdd(out + at * call.n, input, count, call.n);
  else if (op === SHARED_RELU) relu(out + at, input + at, count);
  else reluGrad(out + at, input + at, call.other + at, count);
}

/** Returns the number of groups in the phase under way: at most as many as there are sums. */
function groupsNow(call: SharedCallRecord): i32 {
  const groups = (call.count + CONV_GROUP - 1) / CONV_GROUP;
  return min(CONV_SUMS * call.threads, groups - call.done);
}

/**
 * Returns the address for the sum of the phase's group `task`; the first of all goes to dW itself.
 */
function sumOf(call: SharedCallRecord, task: u32): usize {
  if (call.done === 0 && task === 0) return call.out;
  const threads = <u32>call.threads;
  return groupGradient(windowOf(call), scratchOf(call, task % threads), task / threads);
}

function sumGroup(call: SharedCallRecord, task: u32, scratch: usize): void {
  const group = call.done + <i32>task;
  const sum = sumOf(call, task);
  weightGradientOfGroup(sum, group, call.input, call.other, windowOf(call), call.count, scratch);
}

/** dW += the phase's sums, in order. Returns whether there are more groups. */
function addGroups(call: SharedCallRecord): bool {
  const window = windowOf(call);
  const dw = call.out;
  const weights = window.outChannels * patchFloats(window);
  const groups = groupsNow(call);
  for (let task = 0; task < groups; ++task) {
    const sum = sumOf(call, task);
    if (sum !== dw) addFloats(dw, sum, weights);
  }
  call.done += groups;
  return groupsNow(call) > 0;
}
