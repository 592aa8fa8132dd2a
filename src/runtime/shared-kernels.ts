/**
 * The nn kernels with the work of their large calls shared between threads (assembly/math/shared.ts
 * says how).
 *
 * Invariant: same bits as on one thread. A call too small to pay, or after a worker was lost, runs
 * on this thread.
 */

import { WorkerError } from '../errors';
import * as L from '../memory-layout/nn-layout';
import type { NNKernels, ThreadedNNKernels } from './kernels-nn';
import type { LinearMemory } from './memory';
import type { WorkerPool } from './worker-pool';
import type { WorkerPools } from './worker-pools';

export interface SharingOptions {
  readonly memory: LinearMemory;
  readonly workers: WorkerPools;
  /**
   * Elements from which a pooling is shared; products from so many times MULTIPLICATIONS_AN_ELEMENT
   * multiplications.
   */
  readonly parallelThreshold: number;
}

/** A step costs about 0.7 ns an element, a product 0.05 ns a multiplication. */
const MULTIPLICATIONS_AN_ELEMENT = 16;
/**
 * Tasks a thread, since one that comes late, or is slowed down, should do less: of products, where
 * each packs what it needs.
 */
const PRODUCTS_A_THREAD = 4;
/** The same of images and elements, whose parts cost nothing beyond themselves. */
const PARTS_A_THREAD = 16;

/**
 * The kernels, with workers to share them; those are started, if the runtime's are started at once.
 * Where they cannot be, the kernels as they are, and `runtime.info` tells.
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

/** Writes the job record and runs it. */
class SharedCall {
  readonly threads: number;
  readonly parallelThreshold: number;
  readonly memory: LinearMemory;
  readonly #pool: WorkerPool;
  readonly #record: number;

  constructor(pool: WorkerPool, { memory, workers, parallelThreshold }: SharingOptions) {
    this.#pool = pool;
    this.memory = memory;
    this.threads = workers.threads;
    this.parallelThreshold = parallelThreshold;
    this.#record = workers.record;
  }

  /** Whether sharing so many multiplications pays. */
  pays(multiplications: number): boolean {
    return (
      multiplications >= MULTIPLICATIONS_AN_ELEMENT * this.parallelThreshold && this.#pool.prepare()
    );
  }

  /** The same for elements that are read and written. */
  paysFor(elements: number): boolean {
    return elements >= this.parallelThreshold && this.#pool.prepare();
  }

  /** How many tasks `parts` equal parts make, where nothing is done twice. */
  tasks(parts: number): number {
    return Math.min(parts, PARTS_A_THREAD * this.threads);
  }

  /** @param bytes of scratch that a thread needs */
  // biome-ignore format: one line a role
  run(
    op: number, tasks: number,
    out: number, given: number, other: number, m: number, n: number, k: number,
    scratch: number, bytes: number,
  ): void {
    const words = this.memory.i32;
    const at = this.#record >> 2;
    words[at + (L.SHARED_OP >> 2)] = op;
    words[at + (L.SHARED_TASKS >> 2)] = tasks;
    words[at + (L.SHARED_THREADS >> 2)] = this.threads;
    words[at + (L.SHARED_SCRATCH >> 2)] = scratch;
    words[at + (L.SHARED_SCRATCH_STEP >> 2)] = L.scratchStep(bytes);
    words[at + (L.SHARED_DONE >> 2)] = 0;
    words[at + (L.SHARED_OUT >> 2)] = out;
    words[at + (L.SHARED_IN >> 2)] = given;
    words[at + (L.SHARED_WITH >> 2)] = other;
    words[at + (L.SHARED_M >> 2)] = m;
    words[at + (L.SHARED_N >> 2)] = n;
    words[at + (L.SHARED_K >> 2)] = k;
    this.#pool.run(this.#record);
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
      // By columns there is nothing to lose; by rows every task packs all of B.
      const panels = Math.ceil(n / L.GEMM_PANEL);
      const tasks =
        panels >= call.threads ? Math.min(panels, PRODUCTS_A_THREAD * call.threads) : call.threads;
      call.run(op, tasks, c, a, b, m, n, k, scratch, L.gemmScratchBytes(m, n, k));
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
      if (!call.paysFor(n)) relu(out, x, n);
      else call.run(L.SHARED_RELU, call.tasks(n), out, x, 0, 0, n, 0, 0, 0);
    },
    reluGrad(dx, dy, out, n) {
      if (!call.paysFor(n)) reluGrad(dx, dy, out, n);
      else call.run(L.SHARED_RELU_GRAD, call.tasks(n), dx, dy, out, 0, n, 0, 0, 0);
    },
    biasAdd(x, bias, rows, cols) {
      if (!call.paysFor(rows * cols)) biasAdd(x, bias, rows, cols);
      else call.run(L.SHARED_BIAS_ADD, call.tasks(rows), x, bias, 0, rows, cols, 0, 0, 0);
    },
  };
}

type Images = Pick<
  NNKernels,
  'conv2d' | 'conv2dInputGrad' | 'conv2dWeightGrad' | 'maxPool2d' | 'maxPool2dGrad'
>;

/** Sizes that the window at `address` says. */
function sizesAt({ i32 }: LinearMemory, address: number) {
  const field = (offset: number) => i32[(address + offset) >> 2]!;
  const channels = field(L.WINDOW_IN_CHANNELS);
  const inHeight = field(L.WINDOW_IN_HEIGHT);
  const inWidth = field(L.WINDOW_IN_WIDTH);
  const outHeight = field(L.WINDOW_OUT_HEIGHT);
  const outWidth = field(L.WINDOW_OUT_WIDTH);
  const height = field(L.WINDOW_HEIGHT);
  const width = field(L.WINDOW_WIDTH);
  const paddedHeight = L.paddedPixels(
    field(L.WINDOW_PAD_TOP),
    inHeight,
    outHeight,
    field(L.WINDOW_STRIDE_Y),
    height,
  );
  const paddedWidth = L.paddedPixels(
    field(L.WINDOW_PAD_LEFT),
    inWidth,
    outWidth,
    field(L.WINDOW_STRIDE_X),
    width,
  );
  return {
    image: inHeight * inWidth * channels,
    padded: paddedHeight * paddedWidth * channels,
    positions: outHeight * outWidth,
    patch: height * width * channels,
    outputs: field(L.WINDOW_OUT_CHANNELS),
  };
}

function sharedImages(kernels: NNKernels, call: SharedCall): Images {
  const { conv2d, conv2dInputGrad, conv2dWeightGrad, maxPool2d, maxPool2dGrad } = kernels;
  /** @param parts into which so many images can be cut */
  const convolution = (
    op: number,
    alone: NNKernels['conv2d'],
    parts: (count: number) => number,
  ): NNKernels['conv2d'] => {
    return (out, given, other, window, count, scratch) => {
      const { padded, positions, patch, outputs } = sizesAt(call.memory, window);
      if (parts(count) < 2 || !call.pays(count * positions * patch * outputs)) {
        alone(out, given, other, window, count, scratch);
        return;
      }
      const bytes = L.convScratchBytes(padded, positions, patch, outputs, L.CONV_SUMS);
      call.run(op, call.tasks(count), out, given, other, window, count, 0, scratch, bytes);
    };
  };
  const sharesPooling = (window: number, count: number) =>
    count > 1 && call.paysFor(count * sizesAt(call.memory, window).image);
  return {
    conv2d: convolution(L.SHARED_CONV, conv2d, (count) => count),
    conv2dInputGrad: convolution(L.SHARED_CONV_INPUT, conv2dInputGrad, (count) => count),
    conv2dWeightGrad: convolution(L.SHARED_CONV_WEIGHT, conv2dWeightGrad, (count) =>
      Math.ceil(count / L.CONV_GROUP),
    ),
    maxPool2d(y, index, x, window, count) {
      if (!sharesPooling(window, count)) maxPool2d(y, index, x, window, count);
      else call.run(L.SHARED_MAX_POOL, call.tasks(count), y, x, index, window, count, 0, 0, 0);
    },
    maxPool2dGrad(dx, dy, index, window, count) {
      if (!sharesPooling(window, count)) maxPool2dGrad(dx, dy, index, window, count);
      else
        call.run(L.SHARED_MAX_POOL_GRAD, call.tasks(count), dx, dy, index, window, count, 0, 0, 0);
    },
  };
}
