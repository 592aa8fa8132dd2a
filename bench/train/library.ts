/** adal-wasm itself, as its users write it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Adam, createRuntime, type Runtime, SGD } from 'adal-wasm';
import {
  add,
  apply,
  batchNorm,
  conv2d,
  createModel,
  dense,
  embedding,
  fit,
  flatten,
  graph,
  input,
  type Layer as LibraryLayer,
  layerNorm,
  type Model,
  maxPool2d,
  multiHeadAttention,
  positionEmbedding,
  relu,
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
    case 'conv':
      return conv2d(layer.filters, { kernelSize: layer.size, padding: 'same' });
    case 'maxPool':
      return maxPool2d(layer.size);
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

/** Returns the layers as a chain, or as a graph where there are blocks. */
function structureOf(workload: TrainingWorkload) {
  const { layers } = workload;
  const isSingle = (layer: Layer): layer is SingleLayer => layer.kind !== 'transformer';
  if (layers.every(isSingle))
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
  runtime: Runtime,
  workload: TrainingWorkload,
): Promise<{ model: Model; optimizer: Adam | SGD }> {
  const { batch, optimizer } = workload;
  const model = await createModel(runtime, { ...structureOf(workload), batchSize: batch });
  const { lr } = optimizer;
  if (optimizer.kind === 'sgd')
    return { model, optimizer: new SGD(runtime, model.parameters, { lr }) };
  const { betas, eps } = optimizer;
  return { model, optimizer: new Adam(runtime, model.parameters, { lr, betas, eps }) };
}

function loadFirstValues(model: Model, workload: TrainingWorkload): void {
  const values = planOf(workload).flatMap(({ parameters }) => parameters);
  for (const [index, parameter] of Object.values(model.parameters).entries())
    parameter.value.data.set(values[index]!.data);
}

/** Returns a step over the batches in turn, each copied in from the caller's arrays. */
export async function createStep(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  const { model, optimizer } = await build(await openRuntime(options), workload);
  loadFirstValues(model, workload);
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

export async function createFit(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  const { features, labels } = dataOf(workload);
  return async () => {
    const runtime = await openRuntime(options);
    const { model, optimizer } = await build(runtime, workload);
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
  const { m, n, k } = workload;
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
  return () => {
    kernels.gemmNN(c, x, y, m, n, k, scratch);
    return floats()[c / 4]!;
  };
}
