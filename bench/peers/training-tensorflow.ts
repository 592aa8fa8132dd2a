/**
 * Training with TensorFlow.js: steps with its core, which is faster than its layers, and whole fits
 * with its layers, as its users write them.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as layersApi from '@tensorflow/tfjs-layers';
import type { EngineOptions, Run } from '../train/engine';
import {
  dataOf,
  type Layer,
  type LayerKind,
  matricesOf,
  type PlannedLayer,
  type ProductWorkload,
  planOf,
  type Rule,
  type TrainingWorkload,
} from '../train/workloads';

export const version = tf.version_core;

/** Starts a backend: 'wasm' (SIMD, one thread) or 'cpu'. */
async function open({ backend = 'wasm' }: EngineOptions): Promise<void> {
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  else await import('@tensorflow/tfjs-backend-cpu');
  if (backend === 'wasm') tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend(backend);
  await tf.ready();
}

const optimizerOf = (rule: Rule): tf.Optimizer =>
  rule.kind === 'adam'
    ? tf.train.adam(rule.lr, rule.betas[0], rule.betas[1], rule.eps)
    : tf.train.sgd(rule.lr);

/** Layers whose weights are matrices, which TensorFlow has inputs × outputs. */
const MATRICES: readonly LayerKind[] = ['dense', 'transformer', 'lstm', 'gru'];

/** Returns the parameters of a layer in TensorFlow's layout. */
function variablesOf({ kind, parameters }: PlannedLayer): tf.Variable[] {
  return parameters.map(({ name, shape, data }) => {
    const given = tf.tensor(data, shape);
    if (name === 'weight' && MATRICES.includes(kind)) return tf.variable(tf.transpose(given));
    if (name === 'weight' && kind === 'conv') return tf.variable(tf.transpose(given, [1, 2, 3, 0]));
    if (name === 'weight' && kind === 'conv1d') return tf.variable(tf.transpose(given, [1, 2, 0]));
    return tf.variable(given);
  });
}

/** x + attention(norm x), then x + dense layers(norm x). */
function transformer(x: tf.Tensor, heads: number, variables: readonly tf.Variable[]): tf.Tensor {
  const [samples, steps, features] = x.shape as [number, number, number];
  const width = features / heads;
  const norm = (value: tf.Tensor, at: number): tf.Tensor => {
    const { mean, variance } = tf.moments(value, -1, true);
    const normal = tf.div(tf.sub(value, mean), tf.sqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(normal, variables[at]!), variables[at + 1]!);
  };
  const linear = (value: tf.Tensor, at: number): tf.Tensor => {
    const rows = tf.reshape(value, [samples * steps, value.shape.at(-1)!]);
    const product = tf.add(tf.matMul(rows, variables[at]!), variables[at + 1]!);
    return tf.reshape(product, [samples, steps, product.shape.at(-1)!]);
  };
  const headsOf = (value: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(value, [samples, steps, heads, width]), [0, 2, 1, 3]);
  const later = tf.tensor2d(
    Float32Array.from({ length: steps * steps }, (_, i) =>
      i % steps > Math.floor(i / steps) ? -1e9 : 0,
    ),
    [steps, steps],
  );
  const h = norm(x, 0);
  const [q, k, v] = [2, 4, 6].map((at) => headsOf(linear(h, at))) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width));
  const values = tf.matMul(tf.softmax(tf.add(scores, later)), v);
  const joined = tf.reshape(tf.transpose(values, [0, 2, 1, 3]), [samples, steps, features]);
  const y = tf.add(x, linear(joined, 8));
  return tf.add(y, linear(tf.relu(linear(norm(y, 10), 12)), 14));
}

/** Returns x·w + b of every step of a sequence, or of a vector. */
function linearOf(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const rows = x.shape.length > 2 ? tf.reshape(x, [-1, x.shape.at(-1)!]) : x;
  const product = tf.add(tf.matMul(rows, weight), bias);
  return rows === x ? product : tf.reshape(product, [...x.shape.slice(0, -1), -1]);
}

/** Gates i f g o; all inputs are multiplied at once. Returns all steps. */
function lstm(x: tf.Tensor, variables: readonly tf.Variable[]): tf.Tensor {
  const [inputWeight, recurrentWeight, bias] = variables as [tf.Variable, tf.Variable, tf.Variable];
  const [samples, , units] = [x.shape[0]!, x.shape[1]!, recurrentWeight.shape[0]!];
  let [h, c] = [tf.zeros([samples, units]), tf.zeros([samples, units])];
  const outputs = tf.unstack(linearOf(x, inputWeight, bias), 1).map((projected) => {
    const sums = tf.add(projected, tf.matMul(h, recurrentWeight));
    const [i, f, g, o] = tf.split(sums, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    return h;
  });
  return tf.stack(outputs, 1);
}

/** Gates r z n, the reset gate after the recurrent product. Returns the last step. */
function gru(x: tf.Tensor, variables: readonly tf.Variable[]): tf.Tensor {
  const [inputWeight, recurrentWeight, bias, recurrentBias] = variables as [
    tf.Variable,
    tf.Variable,
    tf.Variable,
    tf.Variable,
  ];
  let h = tf.zeros([x.shape[0]!, recurrentWeight.shape[0]!]);
  for (const projected of tf.unstack(linearOf(x, inputWeight, bias), 1)) {
    const recurrent = tf.add(tf.matMul(h, recurrentWeight), recurrentBias);
    const [xr, xz, xn] = tf.split(projected, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [hr, hz, hn] = tf.split(recurrent, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const z = tf.sigmoid(tf.add(xz, hz));
    const n = tf.tanh(tf.add(xn, tf.mul(tf.sigmoid(tf.add(xr, hr)), hn)));
    h = tf.add(n, tf.mul(z, tf.sub(h, n)));
  }
  return h;
}

function forward(layer: PlannedLayer, x: tf.Tensor, variables: readonly tf.Variable[]): tf.Tensor {
  const [first, second] = variables as readonly [tf.Variable, tf.Variable];
  switch (layer.kind) {
    case 'dense':
      return linearOf(x, first, second);
    case 'conv': {
      const y = tf.conv2d(x, first, layer.stride ?? 1, (layer.size - 1) / 2);
      return layer.useBias === false ? y : tf.add(y, second);
    }
    case 'depthwise':
      return tf.depthwiseConv2d(x, first, layer.stride, (layer.size - 1) / 2);
    case 'conv1d':
      return tf.add(tf.conv1d(x, first, 1, 'same'), second);
    case 'maxPool':
      return tf.maxPool(x, layer.size, layer.size, 'valid');
    case 'maxPool1d': {
      const [samples, steps, channels] = x.shape as [number, number, number];
      const image = tf.reshape(x, [samples, steps, 1, channels]);
      const pooled = tf.maxPool(image, [layer.size, 1], [layer.size, 1], 'valid');
      return tf.reshape(pooled, [samples, -1, channels]);
    }
    case 'globalAvgPool':
      return tf.mean(
        x,
        x.shape.slice(2).map((_, i) => i + 1),
      );
    case 'lstm':
      return lstm(x, variables);
    case 'gru':
      return gru(x, variables);
    case 'relu6':
      return tf.relu6(x);
    case 'relu':
      return tf.relu(x);
    case 'tanh':
      return tf.tanh(x);
    case 'flatten':
      return tf.reshape(x, [x.shape[0]!, -1]);
    case 'embedding': {
      // A product, because the wasm backend has no gradient of gather.
      const indices = tf.cast(tf.reshape(x, [-1]), 'int32');
      const chosen = tf.cast(tf.oneHot(indices, layer.rows), 'float32');
      return tf.reshape(tf.matMul(chosen, first), [...x.shape, layer.dim]);
    }
    case 'positions':
      return tf.add(x, first);
    case 'transformer':
      return transformer(x, layer.heads, variables);
    case 'batchNorm': {
      const axes = x.shape.slice(1).map((_, i) => i);
      const { mean, variance } = tf.moments(x, axes);
      return tf.batchNorm(x, mean, variance, second, first, 1e-5);
    }
  }
}

const targetsOf = (labels: Int32Array, classes: number): tf.Tensor =>
  tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32');

/** Returns a step over batches that are in TensorFlow's memory already. */
export async function createStep(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  await open(options);
  const { input, batch, classes, samples, targets } = workload;
  const layers = planOf(workload).map((layer) => ({ layer, variables: variablesOf(layer) }));
  const { features, labels } = dataOf(workload);
  const x = tf.tensor(features, [samples, ...input]);
  const y = targetsOf(labels, classes);
  const batches = Array.from({ length: samples / batch }, (_, i) => ({
    x: tf.slice(x, i * batch, batch),
    y: tf.slice(y, i * batch * targets, batch * targets),
  }));
  const optimizer = optimizerOf(workload.optimizer);
  const lossOf = (data: { readonly x: tf.Tensor; readonly y: tf.Tensor }) => () => {
    const logits = layers.reduce((h, { layer, variables }) => forward(layer, h, variables), data.x);
    const rows = targets > 1 ? tf.reshape(logits, [-1, classes]) : logits;
    return tf.losses.softmaxCrossEntropy(data.y, rows);
  };
  let turn = 0;
  return () => {
    const cost = optimizer.minimize(lossOf(batches[turn++ % batches.length]!), true);
    const [value] = cost.dataSync();
    cost.dispose();
    return value!;
  };
}

function apiLayerOf(layer: Layer, last: boolean) {
  switch (layer.kind) {
    case 'dense': {
      const activation = last ? 'softmax' : 'linear';
      return layersApi.layers.dense({ units: layer.units, activation });
    }
    case 'relu':
      return layersApi.layers.reLU();
    case 'batchNorm':
      return layersApi.layers.batchNormalization();
    default:
      throw new Error(`no fit has a layer of kind ${layer.kind}`);
  }
}

export async function createFit(workload: TrainingWorkload, options: EngineOptions): Promise<Run> {
  await open(options);
  const { input, layers, classes, samples, batch, epochs = 0 } = workload;
  const { features, labels } = dataOf(workload);
  return async () => {
    const stack = layers.map((layer, i) => apiLayerOf(layer, i === layers.length - 1));
    const model = layersApi.sequential({
      layers: [layersApi.layers.inputLayer({ inputShape: input }), ...stack],
    });
    const optimizer = optimizerOf(workload.optimizer);
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const x = tf.tensor2d(features, [samples, ...input]);
    const y = targetsOf(labels, classes);
    const { history } = await model.fit(x, y, {
      batchSize: batch,
      epochs,
      verbose: 0,
      yieldEvery: 'never',
    });
    for (const weight of model.getWeights()) weight.dataSync();
    tf.dispose([x, y]);
    model.dispose();
    optimizer.dispose();
    return history.loss!.at(-1)!;
  };
}

export async function createProduct(
  workload: ProductWorkload,
  options: EngineOptions,
): Promise<Run> {
  await open(options);
  const { form, m, n, k } = workload;
  const { a, b } = matricesOf(workload);
  const [turnsA, turnsB] = [form === 'TN', form === 'NT'];
  const x = tf.tensor2d(a, turnsA ? [k, m] : [m, k]);
  const y = tf.tensor2d(b, turnsB ? [n, k] : [k, n]);
  let turn = 0;
  return () => {
    const c = tf.matMul(x, y, turnsA, turnsB);
    // Reading the result is not what is timed; once in a while it shows that there is one.
    const value = turn++ % 1024 === 0 ? c.dataSync()[0]! : 0;
    c.dispose();
    return value;
  };
}
