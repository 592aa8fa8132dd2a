/** adal-wasm itself, as its users have it. */
import { createRequire } from 'node:module';
import { Adam, createRuntime, SGD } from '../../../dist/index.js';
import {
  batchNorm,
  conv2d,
  createModel,
  dense,
  embedding,
  fit,
  flatten,
  maxPool2d,
  relu,
  tanh,
} from '../../../dist/nn.js';
import { dataOf, matricesOf, planOf } from '../workloads.js';

const LAYERS = {
  dense: ({ units }) => dense(units),
  conv: ({ filters, size }) => conv2d(filters, { kernelSize: size, padding: 'same' }),
  maxPool: ({ size }) => maxPool2d(size),
  embedding: ({ rows, dim }) => embedding(rows, dim),
  batchNorm: () => batchNorm(),
  flatten: () => flatten(),
  relu: () => relu(),
  tanh: () => tanh(),
};

async function open({ threads = 1, relaxed = false }) {
  const runtime = await createRuntime(
    threads > 1 ? { backend: 'threads', threads, relaxed } : { backend: 'simd', relaxed },
  );
  if (relaxed && !runtime.info.relaxed) throw new Error('the engine has no relaxed SIMD');
  return runtime;
}

async function build(runtime, { input, layers, batch, optimizer: { kind, ...options } }) {
  const model = await createModel(runtime, {
    inputShape: input,
    layers: layers.map((layer) => LAYERS[layer.kind](layer)),
    batchSize: batch,
  });
  const optimizer =
    kind === 'adam'
      ? new Adam(runtime, model.parameters, options)
      : new SGD(runtime, model.parameters, options);
  return { model, optimizer };
}

function loadWeights(model, workload) {
  const values = planOf(workload).flatMap(({ parameters }) => parameters.map(([, , data]) => data));
  for (const [index, parameter] of Object.values(model.parameters).entries())
    parameter.value.data.set(values[index]);
}

/** A step over the batches in turn, each copied in from the caller's arrays. */
export async function createStep(workload, options) {
  const { model, optimizer } = await build(await open(options), workload);
  loadWeights(model, workload);
  const { features, labels } = dataOf(workload);
  const { batch } = workload;
  const size = model.inputSize;
  let at = 0;
  return () => {
    model.input.set(features.subarray(at * size, (at + batch) * size));
    model.labels.set(labels.subarray(at, at + batch));
    at = at + 2 * batch > labels.length ? 0 : at + batch;
    const loss = model.computeGradients(batch);
    optimizer.step();
    return loss;
  };
}

export async function createFit(workload, options) {
  const { features, labels } = dataOf(workload);
  return async () => {
    const runtime = await open(options);
    const { model, optimizer } = await build(runtime, workload);
    const result = await fit(model, { features, labels }, { optimizer, epochs: workload.epochs });
    const weights = model.stateDict();
    runtime.dispose();
    return result.epochs.at(-1).loss + 0 * Object.keys(weights.arrays).length;
  };
}

export async function createProduct(workload, options) {
  const { m, n, k } = workload;
  const runtime = await open(options);
  const kernels = await runtime.nn();
  const { a, b } = matricesOf(workload);
  const [c, x, y, scratch] = [m * n, m * k, k * n, 1 << 20].map((length) =>
    runtime.arena.allocate(4 * length),
  );
  runtime.memory.f32.set(a, x / 4);
  runtime.memory.f32.set(b, y / 4);
  return () => {
    kernels.gemmNN(c, x, y, m, n, k, scratch);
    return runtime.memory.f32[c / 4];
  };
}

export const { version } = createRequire(import.meta.url)('../../../package.json');
