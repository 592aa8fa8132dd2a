import { SharedCallRecord, WindowRecord } from '../../build/assembly/nn-records';
import { JOB_RECORD_SIZE, JobRecord } from '../../build/assembly/optim-records';
import * as L from '../../src/memory-layout/nn-layout';
import { begin, help } from '../jobs';
import { fillExact, floats, get } from '../math/__tests__/floats';
import { windowOf } from '../math/__tests__/windows';
import { gemm } from '../math/gemm';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../nn/conv2d';
import { maxPool2d, maxPool2dGrad } from '../nn/max-pool2d';
import { KernelJobs } from '../shared-kernels';

/** n f32 with small exact values. */
function filled(n: i32, seed: i32): usize {
  const x = floats(n);
  fillExact(x, n, seed);
  return x;
}

function same(x: usize, y: usize, n: i32): bool {
  for (let i = 0; i < n; ++i)
    if (reinterpret<u32>(get(x, i)) !== reinterpret<u32>(get(y, i))) return false;
  return true;
}

/** Returns a record of a call of `op` by `threads` threads, with `bytes` of scratch for each. */
function callOf(op: i32, tasks: i32, threads: i32, bytes: f64): SharedCallRecord {
  const call = changetype<SharedCallRecord>(floats(16));
  const step = <i32>L.alignedBytes(bytes);
  call.op = op;
  call.tasks = tasks;
  call.threads = threads;
  call.scratch = floats((threads * step) / 4);
  call.scratchStep = step;
  return call;
}

/** Does a call's tasks one by one, as its threads in turn would. */
function share(call: SharedCallRecord): void {
  const control = (heap.alloc(JOB_RECORD_SIZE + 64) + 63) & ~63;
  memory.fill(control, 0, JOB_RECORD_SIZE);
  begin<KernelJobs>(control, call.op, changetype<usize>(call));
  let thread = 0;
  while (help<KernelJobs>(control, 1, thread)) thread = (thread + 1) % call.threads;
  expect(changetype<JobRecord>(control).finished).toBe(1);
}

/** Does a product's tasks. */
// biome-ignore format: one line a role
function shareProduct(
  op: i32, tasks: i32, c: usize, a: usize, b: usize, m: i32, n: i32, k: i32,
): void {
  const call = callOf(op, tasks, 3, L.gemmScratchBytes(m, n, k));
  call.out = c;
  call.input = a;
  call.other = b;
  call.m = m;
  call.n = n;
  call.k = k;
  share(call);
}

/** Does the tasks of a call on images. */
// biome-ignore format: one line a role
function shareImages(
  op: i32, tasks: i32, threads: i32, out: usize, input: usize, other: usize,
  window: WindowRecord, count: i32, bytes: f64,
): void {
  const call = callOf(op, tasks, threads, bytes);
  call.out = out;
  call.input = input;
  call.other = other;
  call.window = changetype<usize>(window);
  call.count = count;
  share(call);
}

describe('shared products', () => {
  it('equal those of one thread: by columns, by rows, with more tasks than work', () => {
    const m = 21;
    const n = 50;
    const k = 13;
    const scratch = floats(<i32>L.gemmScratchBytes(m, n, k) / 4);
    const a = filled(m * k, 1);
    const b = filled(k * n, 2);
    const one = floats(m * n);
    const many = floats(m * n);
    for (let op = L.SHARED_GEMM_NN; op <= L.SHARED_GEMM_TN; ++op) {
      gemm(one, a, b, m, n, k, scratch, op === L.SHARED_GEMM_TN, op === L.SHARED_GEMM_NT);
      for (let tasks = 1; tasks <= 14; ++tasks) {
        memory.fill(many, 0x11, m * n * 4);
        shareProduct(op, tasks, many, a, b, m, n, k);
        expect(same(one, many, m * n)).toBe(true);
      }
    }
  });
});

describe('shared convolutions and poolings', () => {
  it('equal those of one thread for any number of images', () => {
    const window = windowOf(5, 4, 3, 2, 1, 1, 2);
    const bytes = L.convScratchBytes(126, 30, 12, 2, L.CONV_SUMS);
    const scratch = floats(<i32>bytes / 4);
    const weight = filled(24, 2);
    for (let count = 1; count <= 5 * L.CONV_GROUP + 1; count += 8) {
      const x = filled(count * 60, 1);
      const dy = filled(count * 60, 3);
      const one = floats(count * 60);
      const many = floats(count * 60);
      conv2d(one, x, weight, window, count, scratch);
      shareImages(L.SHARED_CONV, 5, 2, many, x, weight, window, count, bytes);
      expect(same(one, many, count * 60)).toBe(true);
      conv2dInputGrad(one, dy, weight, window, count, scratch);
      shareImages(L.SHARED_CONV_INPUT, 5, 2, many, dy, weight, window, count, bytes);
      expect(same(one, many, count * 60)).toBe(true);
      conv2dWeightGrad(one, dy, x, window, count, scratch);
      for (let threads = 1; threads <= 5; ++threads) {
        shareImages(L.SHARED_CONV_WEIGHT, 5, threads, many, dy, x, window, count, bytes);
        expect(same(one, many, 24)).toBe(true);
      }
    }
  });

  it('pool images apart, index or none', () => {
    const window = windowOf(4, 6, 3, 2, 2, 0, 3);
    const count = 5;
    const outputs = count * 18;
    const x = filled(count * 72, 1);
    const dy = filled(outputs, 2);
    const one = floats(outputs);
    const many = floats(outputs);
    const index = floats(outputs);
    const shared = floats(outputs);
    maxPool2d(one, index, x, window, count);
    shareImages(L.SHARED_MAX_POOL, 3, 2, many, x, 0, window, count, 0);
    expect(same(one, many, outputs)).toBe(true);
    shareImages(L.SHARED_MAX_POOL, 3, 2, many, x, shared, window, count, 0);
    expect(same(one, many, outputs) && same(index, shared, outputs)).toBe(true);
    const dx = floats(count * 72);
    const sharedDx = floats(count * 72);
    maxPool2dGrad(dx, dy, index, window, count);
    shareImages(L.SHARED_MAX_POOL_GRAD, 3, 2, sharedDx, dy, index, window, count, 0);
    expect(same(dx, sharedDx, count * 72)).toBe(true);
  });
});
