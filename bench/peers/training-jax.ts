/**
 * Training with jax-js on its wasm device: a step is one jitted function of parameters, moments and
 * a batch, as in its documentation. In Node it has one thread. Its arrays are counted: `.ref` keeps
 * one that is used again.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import {
  defaultDevice,
  init,
  type Array as Jax,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
} from '@jax-js/jax';
import { type Run, shuffle } from '../train/engine';
import {
  dataOf,
  matricesOf,
  type PlannedLayer,
  type ProductWorkload,
  planOf,
  type Rule,
  sizeOf,
  type TrainingWorkload,
} from '../train/workloads';

const NAME = '@jax-js/jax';

/** Returns the version of a package that does not export its manifest. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    try {
      const manifest = require(`${folder}/package.json`);
      if (manifest.name === name) return manifest.version;
    } catch {
      // The manifest is in a folder further up.
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}

export const version = versionOf(NAME);

async function open(): Promise<void> {
  await init('wasm');
  defaultDevice('wasm');
}

const floatsOf = (data: Float32Array, shape: readonly number[]): Jax =>
  np.array(data.slice(), { shape, dtype: np.float32 });

type Image = readonly [height: number, width: number, channels: number];

/** A layer; a dense one after `flatten` has the shape of the image that it takes apart. */
type ImageAwareLayer = PlannedLayer & { readonly image: Image | null };

/**
 * Returns the weight of a dense layer after `flatten` with its columns moved: ours follow height ×
 * width × channels, but images of jax-js have channels first.
 */
function flattenedWeight(
  data: Float32Array,
  units: number,
  [height, width, channels]: Image,
): Float32Array {
  const moved = new Float32Array(data.length);
  let to = 0;
  for (let u = 0; u < units; u++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < height * width; i++)
        moved[to++] = data[(u * height * width + i) * channels + c]!;
    }
  }
  return moved;
}

/**
 * Returns the parameters of a layer in jax-js' layouts: dense inputs × units, convolutions filters
 * × channels × rows × columns.
 */
function parametersOf({ kind, parameters, image }: ImageAwareLayer): Jax[] {
  return parameters.map(({ name, shape, data }) => {
    if (name === 'weight' && kind === 'dense') {
      const given = image ? flattenedWeight(data, shape[0]!, image) : data;
      return np.transpose(floatsOf(given, shape));
    }
    if (name === 'weight' && kind === 'conv')
      return np.transpose(floatsOf(data, shape), [0, 3, 1, 2]);
    return floatsOf(data, shape);
  });
}

function forward(layer: PlannedLayer, x: Jax, parameters: readonly Jax[]): Jax {
  const [first, second] = parameters as readonly [Jax, Jax];
  switch (layer.kind) {
    case 'dense':
      return np.dot(x, first).add(second);
    case 'conv':
      return lax.conv(x, first, [1, 1], 'SAME').add(second.reshape([layer.filters, 1, 1]));
    case 'maxPool': {
      const window = [layer.size, layer.size];
      return lax.reduceWindow(x, np.max, window, window);
    }
    case 'relu':
      return nn.relu(x);
    case 'tanh':
      return np.tanh(x);
    case 'flatten':
      return x.reshape([x.shape[0]!, -1]);
    case 'embedding':
      return np.dot(nn.oneHot(x, layer.rows), first);
    case 'batchNorm': {
      const centred = x.ref.sub(np.mean(x, 0, { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), 0, { keepdims: true });
      const normal = centred.div(np.sqrt(variance.add(1e-5)));
      return normal.mul(first).add(second);
    }
    default:
      throw new Error(`no layer of kind ${layer.kind}`);
  }
}

/** Returns a function that computes the mean cross-entropy of a batch and its gradients. */
function gradientsOf(layers: readonly ImageAwareLayer[]) {
  return valueAndGrad((parameters, x, y) => {
    let at = 0;
    let h = x;
    for (const layer of layers) {
      const end = at + layer.parameters.length;
      h = forward(layer, h, parameters.slice(at, end));
      at = end;
    }
    const rows = h.shape[0]!;
    return nn
      .logSoftmax(h)
      .mul(y)
      .sum()
      .mul(-1 / rows);
  });
}

type Moments = readonly (readonly [m: Jax, v: Jax])[];

interface StepResult {
  readonly loss: Jax;
  readonly parameters: readonly Jax[];
  readonly moments: Moments;
}

/** A jitted step. Adam has two scalars: step size and correction of v. */
type Step = (
  parameters: readonly Jax[],
  moments: Moments,
  x: Jax,
  y: Jax,
  ...scalars: Jax[]
) => StepResult;

function compileStep(layers: readonly ImageAwareLayer[], rule: Rule): Step {
  const gradients = gradientsOf(layers);
  const refs = (arrays: readonly Jax[]) => arrays.map((each) => each.ref);
  if (rule.kind === 'sgd') {
    return jit((parameters: readonly Jax[], _moments: Moments, x: Jax, y: Jax) => {
      const [loss, grads] = gradients(refs(parameters), x, y);
      return {
        loss,
        parameters: parameters.map((each, i) => each.sub(grads[i]!.mul(rule.lr))),
        moments: [],
      };
    });
  }
  const { betas, eps } = rule;
  const [beta1, beta2] = betas;
  const adam = (
    parameters: readonly Jax[],
    moments: Moments,
    x: Jax,
    y: Jax,
    rate: Jax,
    correction: Jax,
  ): StepResult => {
    const [loss, grads] = gradients(refs(parameters), x, y);
    const next = moments.map(([m, v], i): readonly [Jax, Jax] => {
      const g = grads[i]!;
      return [
        m.mul(beta1).add(g.ref.mul(1 - beta1)),
        v.mul(beta2).add(np.square(g).mul(1 - beta2)),
      ];
    });
    const moved = parameters.map((each, i) => {
      const [m, v] = next[i]!;
      const denominator = np.sqrt(v.ref).mul(correction.ref).add(eps);
      return each.sub(m.ref.mul(rate.ref).div(denominator));
    });
    rate.dispose();
    correction.dispose();
    return { loss, parameters: moved, moments: next };
  };
  return jit(adam) as Step;
}

function layersOf(workload: TrainingWorkload): ImageAwareLayer[] {
  let image: Image | null = null;
  return planOf(workload).map((layer): ImageAwareLayer => {
    const own = { ...layer, image: layer.kind === 'dense' ? image : null };
    if (layer.kind === 'flatten')
      image = layer.from.length === 3 ? (layer.from as unknown as Image) : null;
    if (layer.kind === 'dense') image = null;
    return own;
  });
}

/** Layers and the compiled step of a workload, which its models share. */
interface Compiled {
  readonly layers: readonly ImageAwareLayer[];
  readonly step: Step;
}

function compile(workload: TrainingWorkload): Compiled {
  const layers = layersOf(workload);
  return { layers, step: compileStep(layers, workload.optimizer) };
}

interface Trainer {
  /** Trains on a batch; returns its loss. */
  train(x: Jax, y: Jax): number;
  /** Waits for the weights: arrays are lazy. */
  finish(): void;
  dispose(): void;
}

function createTrainer(rule: Rule, { layers, step }: Compiled): Trainer {
  let parameters: readonly Jax[] = layers.flatMap(parametersOf);
  let moments: Moments =
    rule.kind === 'adam'
      ? parameters.map(({ shape }) => [np.zeros(shape), np.zeros(shape)] as const)
      : [];
  let [power1, power2] = [1, 1];
  const nextScalars = (): Jax[] => {
    if (rule.kind === 'sgd') return [];
    power1 *= rule.betas[0];
    power2 *= rule.betas[1];
    return [np.array(rule.lr / (1 - power1)), np.array(1 / Math.sqrt(1 - power2))];
  };
  return {
    train(x, y) {
      const result = step(parameters, moments, x, y, ...nextScalars());
      ({ parameters, moments } = result);
      return result.loss.dataSync()[0]!;
    },
    finish() {
      for (const each of parameters) each.ref.dataSync();
    },
    dispose() {
      for (const each of [...parameters, ...moments.flat()]) each.dispose();
    },
  };
}

/** Returns one-hot targets. */
function targetsOf(labels: Int32Array, classes: number): Float32Array {
  const y = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) y[i * classes + label] = 1;
  return y;
}

/** Returns the features of a batch, images with channels first, and its targets. */
function batchOf(
  { input, classes, layers }: TrainingWorkload,
  features: Float32Array,
  labels: Int32Array,
): { x: Jax; y: Jax } {
  const shape = [labels.length, ...input];
  const x =
    layers[0]!.kind === 'embedding'
      ? np.array(Int32Array.from(features), { shape, dtype: np.int32 })
      : floatsOf(features, shape);
  const y = floatsOf(targetsOf(labels, classes), [labels.length, classes]);
  return { x: input.length === 3 ? np.transpose(x, [0, 3, 1, 2]) : x, y };
}

/** Returns a step over batches that are in jax-js' memory already. */
export async function createStep(workload: TrainingWorkload): Promise<Run> {
  await open();
  const { input, batch, samples } = workload;
  const size = sizeOf(input);
  const { features, labels } = dataOf(workload);
  const batches = Array.from({ length: samples / batch }, (_, i) => {
    const rows = features.subarray(i * batch * size, (i + 1) * batch * size);
    return batchOf(workload, rows, labels.subarray(i * batch, (i + 1) * batch));
  });
  const { train } = createTrainer(workload.optimizer, compile(workload));
  let turn = 0;
  return () => {
    const { x, y } = batches[turn++ % batches.length]!;
    return train(x.ref, y.ref);
  };
}

export async function createFit(workload: TrainingWorkload): Promise<Run> {
  await open();
  const { input, batch, samples, epochs = 0 } = workload;
  const size = sizeOf(input);
  const { features, labels } = dataOf(workload);
  const compiled = compile(workload);
  return () => {
    const { train, finish, dispose } = createTrainer(workload.optimizer, compiled);
    const order = Uint32Array.from({ length: samples }, (_, i) => i);
    let loss = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order);
      loss = 0;
      for (let from = 0; from < samples; from += batch) {
        const chosen = order.subarray(from, Math.min(samples, from + batch));
        const rows = new Float32Array(chosen.length * size);
        for (const [r, sample] of chosen.entries())
          rows.set(features.subarray(sample * size, (sample + 1) * size), r * size);
        const own = Int32Array.from(chosen, (sample) => labels[sample]!);
        const { x, y } = batchOf(workload, rows, own);
        loss += (chosen.length * train(x, y)) / samples;
      }
    }
    finish();
    dispose();
    return loss;
  };
}

export async function createProduct(workload: ProductWorkload): Promise<Run> {
  await open();
  const { m, n, k } = workload;
  const { a, b } = matricesOf(workload);
  const [x, y] = [floatsOf(a, [m, k]), floatsOf(b, [k, n])];
  const product = jit((left: Jax, right: Jax) => np.dot(left, right));
  // Arrays are lazy: the product is computed when it is read.
  return () => product(x.ref, y.ref).dataSync()[0]!;
}
