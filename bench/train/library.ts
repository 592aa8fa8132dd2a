/** adal-wasm itself, as its users write it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Adam, createRuntime, type Runtime, SGD } from 'adal-wasm';
import {
  add,
  apply,
  batchNorm,
  conv1d,
  conv2d,
  createModel,
  dense,
  depthwiseConv2d,
  embedding,
  fit,
  flatten,
  globalAvgPool,
  graph,
  gru,
  input,
  type Layer as LibraryLayer,
  layerNorm,
  lstm,
  type Model,
  maxPool1d,
  maxPool2d,
  multiHeadAttention,
  positionEmbedding,
  relu,
  relu6,
  tanh,
  type Value,
} from 'adal-wasm/nn';
import { kernelsOf } from '../toolkit/library-kernels';
import type { EngineOptions, Run } from './engine';
import {
  dataOf,
  type Layer,
  matricesOf,
  type ProductWorkload,
  planOf,
  type TrainingWorkload,
} from './workloads';

const manifest = fileURLToPath(import.meta.resolve('adal-wasm/package.json'));

/** Version of the installed library. */
export const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

/** Layers that are one of the library's. */
type SingleLayer = Exclude<Layer, { readonly kind: 'transformer' }>;

function layerOf(layer: SingleLayer): LibraryLayer {
  switch (layer.kind) {
    case 'dense':
      return dense(layer.units);
    case 'conv': {
      const { filters, size, stride = 1, useBias = true } = layer;
      const padding = (size - 1) / 2;
      return conv2d(filters, { kernelSize: size, stride, padding, useBias });
    }
    case 'depthwise': {
      const { size, stride } = layer;
      const padding = (size - 1) / 2;
      return depthwiseConv2d({ kernelSize: size, stride, padding, useBias: false });
    }
    case 'conv1d':
      return conv1d(layer.filters, { kernelSize: layer.size, padding: 'same' });
    case 'maxPool':
      return maxPool2d(layer.size);
    case 'maxPool1d':
      return maxPool1d(layer.size);
    case 'globalAvgPool':
      return globalAvgPool();
    case 'lstm':
      return lstm(layer.units, { returnSequences: true });
    case 'gru':
      return gru(layer.units);
    case 'embedding':
      return embedding(layer.rows, layer.dim);
    case 'positions':
      return positionEmbedding();
    case 'batchNorm':
      return batchNorm();
    case 'flatten':
      return flatten();
    case 'relu':
      return relu();
    case 'relu6':
      return relu6();
    case 'tanh':
      return tanh();
  }
}

function blockOf(x: Value, heads: number, features: number): Value {
  const attended = x.apply(layerNorm()).apply(multiHeadAttention({ heads, causal: true }));
  const y = apply(add(), [x, attended]);
  const inner = y
    .apply(layerNorm())
    .apply(dense(4 * features))
    .apply(relu());
  return apply(add(), [y, inner.apply(dense(features))]);
}

/** Returns the layers as a chain, or as a graph if asked for or where there are blocks. */
function structureOf(workload: TrainingWorkload, asGraph: boolean) {
  const { layers } = workload;
  const isSingle = (layer: Layer): layer is SingleLayer => layer.kind !== 'transformer';
  if (!asGraph && layers.every(isSingle))
    return { inputShape: [...workload.input], layers: layers.map(layerOf) };
  const logits = planOf(workload).reduce(
    (x, layer) =>
      layer.kind === 'transformer'
        ? blockOf(x, layer.heads, layer.to.at(-1)!)
        : x.apply(layerOf(layer)),
    input('input', workload.input),
  );
  return graph({ logits });
}

async function openRuntime({ threads = 1, relaxed = false }: EngineOptions): Promise<Runtime> {
  const runtime = await createRuntime(
    threads > 1 ? { backend: 'threads', threads, relaxed } : { backend: 'simd', relaxed },
  );
  if (relaxed && !runtime.info.relaxed) throw new Error('the engine has no relaxed SIMD');
  return runtime;
}

async function build(
  workload: TrainingWorkload,
  options: EngineOptions,
): Promise<{ runtime: Runtime; model: Model; optimizer: Adam | SGD }> {
  const runtime = await openRuntime(options);
  const { batch, optimizer } = workload;
  const structure = structureOf(workload, options.graph ?? false);
  const model = await createModel(runtime, { ...structure, batchSize: batch });
  const { lr } = optimizer;
  if (optimizer.kind === 'sgd')
    return { runtime, model, optimizer: new SGD(runtime, model.parameters, { lr }) };
  const { betas, eps } = optimizer;
  return { runtime, model, optimizer: new Adam(runtime, model.parameters, { lr, betas, eps }) };
}

function loadFirstValues(model: Model, workload: TrainingWorkload): void {
  const values = planOf(workload).flatMap(({ parameters }) => parameters);
  for (const [index, parameter] of Object.values(model.parameters).entries())
    parameter.value.data.set(values[index]!.data);
}

/** Returns a step over the batches in turn, each copied in from the caller's arrays. */
export async function createStep(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  const { model, optimizer } = await build(workload, options);
  loadFirstValues(model, workload);
  const { features, labels } = dataOf(workload);
  const { batch, samples, targets } = workload;
  const size = model.inputSize;
  let at = 0;
  return () => {
    model.input.set(features.subarray(at * size, (at + batch) * size));
    model.labels.set(labels.subarray(at * targets, (at + batch) * targets));
    at = at + 2 * batch > samples ? 0 : at + batch;
    const loss = model.computeGradients(batch);
    optimizer.step();
    return loss;
  };
}

export async function createFit(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  const { features, labels } = dataOf(workload);
  return async () => {
    const { runtime, model, optimizer } = await build(workload, options);
    const epochs = workload.epochs!;
    const result = await fit(model, { features, labels }, { optimizer, epochs });
    const weights = model.stateDict();
    runtime.dispose();
    return result.epochs.at(-1)!.loss + 0 * Object.keys(weights.arrays).length;
  };
}

export async function createProduct(
  workload: ProductWorkload,
  options: EngineOptions,
): Promise<Run> {
  const { form, m, n, k } = workload;
  const { kernels, allocate, floats } = await kernelsOf(await openRuntime(options));
  const { a, b } = matricesOf(workload);
  const [c, x, y, scratch] = [m * n, m * k, k * n, 1 << 20].map(allocate) as [
    number,
    number,
    number,
    number,
  ];
  floats().set(a, x / 4);
  floats().set(b, y / 4);
  const gemm = kernels[`gemm${form}`].bind(kernels);
  return () => {
    gemm(c, x, y, m, n, k, scratch);
    return floats()[c / 4]!;
  };
}
