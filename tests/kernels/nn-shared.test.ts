/**
 * Kernels whose work threads share: bit for bit the reference's for every thread count, and tidy at
 * their edges.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkerError } from '../../src/index';
import {
  alignedBytes,
  CONV_GROUP,
  CONV_SUMS,
  convScratchBytes,
  depthwiseScratchBytes,
  GEMM_PANEL,
  gemmScratchBytes,
} from '../../src/memory-layout/nn-layout';
import { conv2d, createModel, dense, flatten, maxPool2d, relu } from '../../src/nn';
import type { NNKernels } from '../../src/runtime/kernels-nn';
import { createRuntime, type Runtime } from '../../src/runtime/runtime';
import { bitsOf, oracle, simd, THREAD_CASES, withRuntime } from '../support/backends';
import { killableHost, sourceHost } from '../support/evil-host';
import { ordinary, wild } from './values';
import { type Geometry, sizesOf, windowRecord } from './windows';

/** One runtime with its kernels; buffers are handed out until `reset`. */
class Side {
  readonly #taken: number[] = [];

  constructor(
    readonly name: string,
    readonly runtime: Runtime,
    readonly kernels: NNKernels,
  ) {}

  allocate(bytes: number): number {
    const address = this.runtime.arena.allocate(bytes);
    this.#taken.push(address);
    return address;
  }

  write(values: Float32Array | Int32Array): number {
    const address = this.allocate(4 * values.length);
    const { f32, i32 } = this.runtime.memory;
    (values instanceof Int32Array ? i32 : f32).set(values, address / 4);
    return address;
  }

  scratch(bytes: number): number {
    return this.allocate((this.kernels.threads ?? 1) * alignedBytes(bytes));
  }

  bits(address: number, length: number): Uint32Array {
    const bits = bitsOf(this.runtime.memory.f32.slice(address / 4, address / 4 + length));
    return bits.map((word) => ((word & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : word));
  }

  reset(): void {
    for (const address of this.#taken.splice(0)) this.runtime.arena.release(address);
  }
}

const sides: Side[] = [];
beforeAll(async () => {
  for (const { name, options } of [oracle, ...THREAD_CASES]) {
    const runtime = await createRuntime(options);
    sides.push(new Side(name, runtime, await runtime.nn()));
  }
});
afterAll(() => {
  for (const { runtime } of sides) runtime.dispose();
});

/** Runs `call` on all sides; it returns what to compare: [address, floats] each. */
function expectSame(call: (side: Side) => readonly (readonly [number, number])[]): void {
  const [reference, ...others] = sides.map((side) => {
    const results = call(side).map(([address, length]) => side.bits(address, length));
    side.reset();
    return { name: side.name, results };
  });
  for (const { name, results } of others) expect(results, name).toEqual(reference!.results);
}

type Maker = (n: number, seed: number) => Float32Array;

function multiply(
  form: 'gemmNN' | 'gemmNT' | 'gemmTN',
  m: number,
  n: number,
  k: number,
  make: Maker,
): void {
  const [a, b] = [make(m * k, m + 1), make(k * n, n + 2)];
  expectSame((side) => {
    const [x, y, c] = [side.write(a), side.write(b), side.write(ordinary(m * n + 16, 5))];
    side.kernels[form](c, x, y, m, n, k, side.scratch(gemmScratchBytes(m, n, k)));
    return [[c, m * n + 16]]; // and what lies behind C
  });
}

it('says how many threads there are', () => {
  expect(sides.map(({ kernels }) => kernels.threads ?? 1)).toEqual([1, 1, 2, 3, 7]);
});

describe.each(['gemmNN', 'gemmNT', 'gemmTN'] as const)('%s', (form) => {
  it.each([
    ['columns', 5, 16 * GEMM_PANEL, 40],
    ['columns and a ragged panel', 30, 20 * GEMM_PANEL + 7, 33],
    ['rows', 67, 10, 128],
    ['fewer rows than threads', 2, 3, 9],
    ['columns of one row', 1, 300, 50],
    ['rows where there is one', 1, 5, 50],
    ['several blocks of k', 9, 64, 600],
    ['more rows than a block has', 301, 50, 17],
    ['one element', 1, 1, 1],
    ['no k', 3, 4, 0],
  ] as const)('by %s', (_, m, n, k) => {
    multiply(form, m, n, k, ordinary);
    multiply(form, m, n, k, wild);
  });

  it('any shape', () => {
    const size = fc.integer({ min: 1, max: 150 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 0, max: 40 }), (m, n, k) =>
        multiply(form, m, n, k, ordinary),
      ),
      { numRuns: 25 },
    );
  });
});

const plain: Geometry = {
  height: 7,
  width: 6,
  channels: 3,
  kernel: [3, 3],
  stride: [1, 1],
  padding: [1, 1, 1, 1],
  outputs: 5,
};

describe.each([
  ['padding 1', plain],
  ['stride 2', { ...plain, stride: [2, 2], padding: [0, 1, 1, 0] }],
  ['one channel', { ...plain, channels: 1, outputs: 16 }],
  ['kernel 1', { ...plain, kernel: [1, 1], padding: [0, 0, 0, 0] }],
  ['a sequence', { ...plain, height: 1, kernel: [1, 3], padding: [0, 0, 1, 1] }],
] as [string, Geometry][])('convolution, %s', (_, geometry) => {
  it.each([1, 2, 7, 8, 9, 3 * CONV_GROUP, 9 * CONV_GROUP + 1])('of %i images', (count) => {
    const { padded, positions, patch, image, weights } = sizesOf(geometry);
    const outputs = count * positions * geometry.outputs;
    const [xs, ws, dys] = [ordinary(count * image, 1), ordinary(weights, 2), wild(outputs, 3)];
    expectSame((side) => {
      const [x, w, dy, window] = [
        side.write(xs),
        side.write(ws),
        side.write(dys),
        side.write(windowRecord(geometry)),
      ];
      const [y, dx, dw] = [outputs, count * image, weights].map((n) =>
        side.write(ordinary(n + 16, 4)),
      );
      const scratch = side.scratch(
        convScratchBytes(padded, positions, patch, geometry.outputs, CONV_SUMS),
      );
      side.kernels.conv2d(y!, x, w, window, count, scratch);
      side.kernels.conv2dInputGrad(dx!, dy, w, window, count, scratch);
      side.kernels.conv2dWeightGrad(dw!, dy, x, window, count, scratch);
      return [
        [y!, outputs + 16],
        [dx!, count * image + 16],
        [dw!, weights + 16],
      ];
    });
  });
});

describe.each([
  ['few channels', plain, 1],
  ['many channels', { ...plain, channels: 37, stride: [2, 1] }, 1],
  ['a multiplier', { ...plain, channels: 11, dilation: [1, 2] }, 3],
] as [string, Geometry, number][])('depthwise convolution, %s', (_, given, multiplier) => {
  it.each([1, 2, 7, 40])('of %i images', (count) => {
    const geometry = { ...given, outputs: given.channels * multiplier };
    const { positions, image, patch } = sizesOf(geometry);
    const [weights, outputs] = [patch * multiplier, count * positions * geometry.outputs];
    const [xs, ws, dys] = [ordinary(count * image, 1), ordinary(weights, 2), wild(outputs, 3)];
    expectSame((side) => {
      const [x, w, dy, window] = [
        side.write(xs),
        side.write(ws),
        side.write(dys),
        side.write(windowRecord(geometry)),
      ];
      const [y, dx, dw] = [outputs, count * image, weights].map((n) =>
        side.write(ordinary(n + 16, 4)),
      );
      const repeated = multiplier === 1 ? 0 : image * multiplier;
      const scratch = side.scratch(depthwiseScratchBytes(7, 6, repeated));
      side.kernels.depthwiseConv2d(y!, x, w, window, count, scratch);
      side.kernels.depthwiseConv2dInputGrad(dx!, dy, w, window, count, scratch);
      side.kernels.depthwiseConv2dWeightGrad(dw!, dy, x, window, count, scratch);
      return [
        [y!, outputs + 16],
        [dx!, count * image + 16],
        [dw!, weights + 16],
      ];
    });
  });
});

it.each([1, 2, 5, 40])('max pooling of %i images', (count) => {
  const geometry: Geometry = {
    ...plain,
    kernel: [2, 2],
    stride: [2, 1],
    padding: [0, 0, 0, 0],
    outputs: 99,
  };
  const { positions, image } = sizesOf(geometry);
  const outputs = count * positions * geometry.channels;
  const [xs, dys] = [wild(count * image, 1), ordinary(outputs, 2)];
  expectSame((side) => {
    const [x, dy, window] = [side.write(xs), side.write(dys), side.write(windowRecord(geometry))];
    const [y, index, dx] = [outputs, outputs, count * image].map((n) =>
      side.write(ordinary(n + 16, 4)),
    );
    side.kernels.maxPool2d(y!, index!, x, window, count);
    side.kernels.maxPool2dGrad(dx!, dy, index!, window, count);
    side.kernels.maxPool2d(side.write(ordinary(outputs, 4)), 0, x, window, count);
    return [
      [y!, outputs + 16],
      [index!, outputs],
      [dx!, count * image + 16],
    ];
  });
});

it.each([1, 15, 16, 17, 1000, 40_000])('ReLU and its gradient on %i elements', (n) => {
  const [xs, dys] = [wild(n, 1), ordinary(n, 2)];
  const padded = Math.ceil(n / 16) * 16;
  const pad = (values: Float32Array) =>
    Float32Array.from({ length: padded }, (_, i) => values[i] ?? 0);
  expectSame((side) => {
    const [x, dy, out, dx] = [pad(xs), pad(dys), ordinary(padded, 3), ordinary(padded, 4)].map(
      (values) => side.write(values),
    );
    side.kernels.relu(out!, x!, n);
    side.kernels.reluGrad(dx!, dy!, out!, n);
    return [
      [out!, padded],
      [dx!, padded],
    ];
  });
});

it.each([
  [1, 5],
  [33, 1],
  [100, 16],
  [70, 37],
])('biases of %i rows of %i columns', (rows, cols) => {
  expectSame((side) => {
    const x = side.write(ordinary(rows * cols + 16, 1));
    const db = side.write(ordinary(cols + 16, 2));
    side.kernels.biasAdd(x, side.write(ordinary(cols, 3)), rows, cols);
    side.kernels.biasGrad(db, x, rows, cols);
    return [
      [x, rows * cols + 16],
      [db, cols + 16],
    ];
  });
});

describe('when a worker is lost', () => {
  const LAYERS = [
    conv2d(4, { kernelSize: 3 }),
    relu(),
    maxPool2d(2),
    flatten(),
    dense(40),
    relu(),
    dense(3),
  ];

  /** The gradients of a small network over 20 images, by name. */
  async function learner(runtime: Runtime) {
    const model = await createModel(runtime, {
      inputShape: [8, 8, 2],
      layers: LAYERS,
      batchSize: 20,
      seed: 1,
    });
    model.input.set(ordinary(model.input.length, 1));
    model.labels.forEach((_, i, labels) => {
      labels[i] = i % 3;
    });
    return () => {
      const loss = model.computeGradients(20);
      return [loss, ...Object.values(model.parameters).map(({ grad }) => bitsOf(grad.data))];
    };
  }

  it('says so, keeps the weights, and goes on with one thread and the same bits', async () => {
    const expected = await withRuntime(simd, async (runtime) => (await learner(runtime))());
    const host = killableHost();
    const options = {
      backend: 'threads',
      threads: 2,
      parallelThreshold: 0,
      jobTimeoutMs: 300,
      workerHost: host,
    } as const;
    await withRuntime({ name: 'killed', options }, async (runtime) => {
      const gradients = await learner(runtime);
      expect(gradients()).toEqual(expected);
      await host.kill();
      const error = await Promise.resolve()
        .then(gradients)
        .catch((reason) => reason);
      expect(error).toBeInstanceOf(WorkerError);
      expect(error.message).toMatch(/nothing has changed, and further work runs on one thread/);
      expect(runtime.info.threads).toBe(1);
      expect(gradients()).toEqual(expected);
    });
  });

  it('before it was ready, works alone', async () => {
    const expected = await withRuntime(simd, async (runtime) => (await learner(runtime))());
    const options = {
      threads: 'auto',
      backend: 'threads',
      parallelThreshold: 0,
      workerHost: sourceHost(''),
    } as const;
    await withRuntime({ name: 'absent', options }, async (runtime) => {
      expect((await learner(runtime))()).toEqual(expected);
    });
  });
});
