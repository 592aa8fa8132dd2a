/**
 * The nn kernels with the work of large calls shared between threads (assembly/shared-kernels.ts
 * says how).
 *
 * Invariant: same bits as on one thread. A call that is too small to gain, or that comes after a
 * worker was lost, runs on the calling thread.
 */

import { SharedCallRecord, WindowRecord } from '../../build/nn-records';
import { WorkerError } from '../errors';
import * as L from '../memory-layout/nn-layout';
import type { NNKernels, ThreadedNNKernels } from './kernels-nn';
import type { LinearMemory } from './memory';
import { windowSizes } from './window-sizes';
import type { WorkerPool } from './worker-pool';
import type { WorkerPools } from './worker-pools';

export interface SharingOptions {
  readonly memory: LinearMemory;
  readonly workers: WorkerPools;
  /**
   * Elements from which a pooling is shared; products are shared from MULTIPLICATIONS_PER_ELEMENT
   * times as many multiplications.
   */
  readonly parallelThreshold: number;
}

/** A step costs about 0.7 ns per element, a product 0.05 ns per multiplication. */
const MULTIPLICATIONS_PER_ELEMENT = 16;
/**
 * Tasks per thread of a product, each of which packs its own operands: more than one, because a
 * thread that arrives late or is slowed down should do less.
 */
const PRODUCTS_PER_THREAD = 4;
/** Tasks per thread of images and elements, which can be split at no cost. */
const PARTS_PER_THREAD = 16;

/**
 * Returns the kernels with workers that share their large calls. Starts the workers if the runtime
 * starts its workers eagerly; if they cannot be started, returns the kernels unchanged, and
 * `runtime.info` states the reason.
 */
export async function openSharedKernels(
  kernels: ThreadedNNKernels,
  module: WebAssembly.Module,
  options: SharingOptions,
): Promise<NNKernels> {
  let pool: WorkerPool;
  try {
    pool = await options.workers.openForKernels(module, kernels);
  } catch (error) {
    if (error instanceof WorkerError) return kernels;
    throw error;
  }
  const call = new SharedCall(pool, options);
  return {
    ...kernels,
    threads: options.workers.threads,
    ...sharedProducts(kernels, call),
    ...sharedImages(kernels, call),
    ...sharedElements(kernels, call),
  };
}

/**
 * One call at a time, shared with the workers: fill in the record that `begin` returns, then `run`.
 */
class SharedCall {
  readonly threads: number;
  readonly #parallelThreshold: number;
  readonly #window: WindowRecord;
  readonly #pool: WorkerPool;
  readonly #record: SharedCallRecord;

  constructor(pool: WorkerPool, { memory, workers, parallelThreshold }: SharingOptions) {
    this.#pool = pool;
    this.threads = workers.threads;
    this.#parallelThreshold = parallelThreshold;
    this.#window = new WindowRecord(memory);
    this.#record = new SharedCallRecord(memory).at(workers.record);
  }

  /** Returns whether sharing that many multiplications pays. */
  pays(multiplications: number): boolean {
    const least = MULTIPLICATIONS_PER_ELEMENT * this.#parallelThreshold;
    return multiplications >= least && this.#pool.prepare();
  }

  /** Returns whether sharing a call that reads and writes that many elements pays. */
  paysFor(elements: number): boolean {
    return elements >= this.#parallelThreshold && this.#pool.prepare();
  }

  /** Returns the number of tasks for `parts` equal parts that share no work. */
  tasks(parts: number): number {
    return Math.min(parts, PARTS_PER_THREAD * this.threads);
  }

  /** Returns the window record at `address`, until the next call. */
  windowAt(address: number): WindowRecord {
    return this.#window.at(address);
  }

  /** Begins a call of `op`; fields that the caller does not set have no meaning for it. */
  begin(op: number, tasks: number): SharedCallRecord {
    const record = this.#record;
    record.op = op;
    record.tasks = tasks;
    record.threads = this.threads;
    record.done = 0;
    return record;
  }

  /** Runs the call with `bytes` of scratch for each thread, from the address `scratch` on. */
  runWithScratch(scratch: number, bytes: number): void {
    this.#record.scratch = scratch;
    this.#record.scratchStep = L.alignedBytes(bytes);
    this.run();
  }

  /** Runs the call that was begun last. */
  run(): void {
    this.#pool.run(this.#record.address);
  }
}

type Products = Pick<NNKernels, 'gemmNN' | 'gemmNT' | 'gemmTN'>;

function sharedProducts(kernels: NNKernels, call: SharedCall): Products {
  const { gemmNN, gemmNT, gemmTN } = kernels;
  const share = (op: number, alone: Products['gemmNN']): Products['gemmNN'] => {
    return (c, a, b, m, n, k, scratch) => {
      if (k === 0 || !call.pays(m * n * k)) {
        alone(c, a, b, m, n, k, scratch);
        return;
      }
      // Cutting by columns costs nothing; by rows every task packs all of B.
      const panels = Math.ceil(n / L.GEMM_PANEL);
      const byColumns = panels >= call.threads;
      const most = PRODUCTS_PER_THREAD * call.threads;
      const record = call.begin(op, byColumns ? Math.min(panels, most) : call.threads);
      record.out = c;
      record.input = a;
      record.other = b;
      record.m = m;
      record.n = n;
      record.k = k;
      call.runWithScratch(scratch, L.gemmScratchBytes(m, n, k));
    };
  };
  return {
    gemmNN: share(L.SHARED_GEMM_NN, gemmNN),
    gemmNT: share(L.SHARED_GEMM_NT, gemmNT),
    gemmTN: share(L.SHARED_GEMM_TN, gemmTN),
  };
}

type Elements = Pick<NNKernels, 'relu' | 'reluGrad' | 'biasAdd'>;

function sharedElements(kernels: NNKernels, call: SharedCall): Elements {
  const { relu, reluGrad, biasAdd } = kernels;
  return {
    relu(out, x, n) {
      if (!call.paysFor(n)) {
        relu(out, x, n);
        return;
      }
      const record = call.begin(L.SHARED_RELU, call.tasks(n));
      record.out = out;
      record.input = x;
      record.count = n;
      call.run();
    },
    reluGrad(dx, dy, out, n) {
      if (!call.paysFor(n)) {
        reluGrad(dx, dy, out, n);
        return;
      }
      const record = call.begin(L.SHARED_RELU_GRAD, call.tasks(n));
      record.out = dx;
      record.input = dy;
      record.other = out;
      record.count = n;
      call.run();
    },
    biasAdd(x, bias, rows, cols) {
      if (!call.paysFor(rows * cols)) {
        biasAdd(x, bias, rows, cols);
        return;
      }
      const record = call.begin(L.SHARED_BIAS_ADD, call.tasks(rows));
      record.out = x;
      record.input = bias;
      record.count = rows;
      record.n = cols;
      call.run();
    },
  };
}

type Images = Pick<
  NNKernels,
  | 'conv2d'
  | 'conv2dInputGrad'
  | 'conv2dWeightGrad'
  | 'depthwiseConv2d'
  | 'depthwiseConv2dInputGrad'
  | 'depthwiseConv2dWeightGrad'
  | 'maxPool2d'
  | 'maxPool2dGrad'
>;

function sharedImages(kernels: NNKernels, call: SharedCall): Images {
  const { conv2d, conv2dInputGrad, conv2dWeightGrad, maxPool2d, maxPool2dGrad } = kernels;
  const { depthwiseConv2d, depthwiseConv2dInputGrad, depthwiseConv2dWeightGrad } = kernels;
  // biome-ignore format: one line a role
  const beginImages = (
    op: number, tasks: number, out: number, input: number, other: number, window: number,
    count: number,
  ): void => {
    const record = call.begin(op, tasks);
    record.out = out;
    record.input = input;
    record.other = other;
    record.window = window;
    record.count = count;
  };
  /** @param parts returns the number of parts that `count` images can be split into */
  const convolution = (
    op: number,
    alone: NNKernels['conv2d'],
    parts: (count: number) => number,
  ): NNKernels['conv2d'] => {
    return (out, input, other, window, count, scratch) => {
      const record = call.windowAt(window);
      const { padded, positions, patch } = windowSizes(record);
      const outputs = record.outChannels;
      if (parts(count) < 2 || !call.pays(count * positions * patch * outputs)) {
        alone(out, input, other, window, count, scratch);
        return;
      }
      beginImages(op, call.tasks(count), out, input, other, window, count);
      const bytes = L.convScratchBytes(padded, positions, patch, outputs, L.CONV_SUMS);
      call.runWithScratch(scratch, bytes);
    };
  };
  /** @param parts returns the number of tasks for `count` images of so many output channels */
  const depthwise = (
    op: number,
    alone: NNKernels['depthwiseConv2d'],
    parts: (count: number, channels: number) => number,
  ): NNKernels['depthwiseConv2d'] => {
    return (out, input, other, window, count, scratch) => {
      const record = call.windowAt(window);
      const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = record;
      const { positions, patch } = windowSizes(record);
      const tasks = parts(count, outChannels);
      const multiplier = outChannels / inChannels;
      if (tasks < 2 || !call.pays(count * positions * patch * multiplier)) {
        alone(out, input, other, window, count, scratch);
        return;
      }
      beginImages(op, tasks, out, input, other, window, count);
      const repeated = multiplier === 1 ? 0 : inHeight * inWidth * outChannels;
      const [rows, columns] = [Math.max(inHeight, outHeight), Math.max(inWidth, outWidth)];
      call.runWithScratch(scratch, L.depthwiseScratchBytes(rows, columns, repeated));
    };
  };
  const byImages = (count: number) => call.tasks(count);
  const sharesPooling = (window: number, count: number) =>
    count > 1 && call.paysFor(count * windowSizes(call.windowAt(window)).image);
  return {
    conv2d: convolution(L.SHARED_CONV, conv2d, (count) => count),
    conv2dInputGrad: convolution(L.SHARED_CONV_INPUT, conv2dInputGrad, (count) => count),
    conv2dWeightGrad: convolution(L.SHARED_CONV_WEIGHT, conv2dWeightGrad, (count) =>
      Math.ceil(count / L.CONV_GROUP),
    ),
    depthwiseConv2d: depthwise(L.SHARED_DEPTHWISE, depthwiseConv2d, byImages),
    depthwiseConv2dInputGrad: depthwise(
      L.SHARED_DEPTHWISE_INPUT,
      depthwiseConv2dInputGrad,
      byImages,
    ),
    depthwiseConv2dWeightGrad: depthwise(
      L.SHARED_DEPTHWISE_WEIGHT,
      depthwiseConv2dWeightGrad,
      (_, channels) => call.tasks(Math.ceil(channels / L.DEPTHWISE_CHANNELS)),
    ),
    maxPool2d(y, index, x, window, count) {
      if (!sharesPooling(window, count)) {
        maxPool2d(y, index, x, window, count);
        return;
      }
      beginImages(L.SHARED_MAX_POOL, call.tasks(count), y, x, index, window, count);
      call.run();
    },
    maxPool2dGrad(dx, dy, index, window, count) {
      if (!sharesPooling(window, count)) {
        maxPool2dGrad(dx, dy, index, window, count);
        return;
      }
      beginImages(L.SHARED_MAX_POOL_GRAD, call.tasks(count), dx, dy, index, window, count);
      call.run();
    },
  };
}
