/**
 * TensorFlow.js: steps with its core (faster than its layers), whole fits with its layers, as its
 * users write them.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as layersApi from '@tensorflow/tfjs-layers';
import { dataOf, matricesOf, planOf } from '../workloads.js';

export const version = tf.version_core;

/** @param backend 'wasm' (SIMD, one thread) or 'cpu' */
async function open(backend) {
  await import(`@tensorflow/tfjs-backend-${backend}`);
  if (backend === 'wasm') tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend(backend);
  await tf.ready();
}

function optimizerOf({ kind, lr, betas, eps }) {
  return kind === 'adam' ? tf.train.adam(lr, betas[0], betas[1], eps) : tf.train.sgd(lr);
}

/** First values in TensorFlow's layout. */
function variablesOf({ kind, parameters }) {
  return parameters.map(([name, shape, data]) => {
    const given = tf.tensor(data, shape);
    if (name === 'weight' && kind === 'dense') return tf.variable(tf.transpose(given));
    if (name === 'weight' && kind === 'conv') return tf.variable(tf.transpose(given, [1, 2, 3, 0]));
    return tf.variable(given);
  });
}

const FORWARD = {
  dense: (x, [w, b]) => tf.add(tf.matMul(x, w), b),
  conv: (x, [w, b]) => tf.add(tf.conv2d(x, w, 1, 'same'), b),
  maxPool: (x, _v, { size }) => tf.maxPool(x, size, size, 'valid'),
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  flatten: (x) => tf.reshape(x, [x.shape[0], -1]),
  // As a product, since the wasm backend has no gradient of gather.
  embedding: (x, [table], { rows, dim }) => {
    const chosen = tf.oneHot(tf.cast(tf.reshape(x, [-1]), 'int32'), rows);
    return tf.reshape(tf.matMul(tf.cast(chosen, 'float32'), table), [...x.shape, dim]);
  },
  batchNorm: (x, [gamma, beta]) => {
    const { mean, variance } = tf.moments(x, 0);
    return tf.batchNorm(x, mean, variance, beta, gamma, 1e-5);
  },
};

/** A step over batches that lie in TensorFlow's memory already. */
export async function createStep(workload, { backend }) {
  await open(backend);
  const { input, batch, classes, samples } = workload;
  const layers = planOf(workload).map((layer) => ({ ...layer, variables: variablesOf(layer) }));
  const { features, labels } = dataOf(workload);
  const x = tf.tensor(features, [samples, ...input]);
  const y = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32');
  const batches = Array.from({ length: samples / batch }, (_, i) => ({
    x: tf.slice(x, i * batch, batch),
    y: tf.slice(y, i * batch, batch),
  }));
  const optimizer = optimizerOf(workload.optimizer);
  const loss = (data) => () => {
    const logits = layers.reduce(
      (h, layer) => FORWARD[layer.kind](h, layer.variables, layer),
      data.x,
    );
    return tf.losses.softmaxCrossEntropy(data.y, logits);
  };
  let turn = 0;
  return () => {
    const cost = optimizer.minimize(loss(batches[turn++ % batches.length]), true);
    const [value] = cost.dataSync();
    cost.dispose();
    return value;
  };
}

const LAYERS = {
  dense: ({ units }, last) =>
    layersApi.layers.dense({ units, activation: last ? 'softmax' : 'linear' }),
  relu: () => layersApi.layers.reLU(),
  batchNorm: () => layersApi.layers.batchNormalization(),
};

export async function createFit(workload, { backend }) {
  await open(backend);
  const { input, layers, classes, samples, batch, epochs } = workload;
  const { features, labels } = dataOf(workload);
  return async () => {
    const stack = layers.map((layer, i) => LAYERS[layer.kind](layer, i === layers.length - 1));
    const model = layersApi.sequential({
      layers: [layersApi.layers.inputLayer({ inputShape: input }), ...stack],
    });
    const optimizer = optimizerOf(workload.optimizer);
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const x = tf.tensor2d(features, [samples, ...input]);
    const y = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32');
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
    return history.loss.at(-1);
  };
}

export async function createProduct(workload, { backend }) {
  await open(backend);
  const { m, n, k } = workload;
  const { a, b } = matricesOf(workload);
  const [x, y] = [tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])];
  let turn = 0;
  return () => {
    const c = tf.matMul(x, y);
    // Reading the result is not what is timed; once in a while it shows that there is one.
    const value = turn++ % 1024 === 0 ? c.dataSync()[0] : 0;
    c.dispose();
    return value;
  };
}
