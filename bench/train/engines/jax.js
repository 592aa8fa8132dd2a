/**
 * jax-js on its wasm device: a step is one jitted function of parameters, moments and a batch, as
 * its documentation has it. In Node it has one thread. Its arrays are counted: `.ref` keeps one
 * that is used again.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { dataOf, matricesOf, planOf } from '../workloads.js';

const NAME = '@jax-js/jax';

/** The package does not export its manifest. */
function versionOf(name) {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    try {
      const manifest = require(`${folder}/package.json`);
      if (manifest.name === name) return manifest.version;
    } catch {
      // The next folder up has it.
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}

export const version = versionOf(NAME);

async function open() {
  await init('wasm');
  defaultDevice('wasm');
}

const arrayOf = (data, shape, dtype = np.float32) => np.array(data.slice(), { shape, dtype });

/**
 * Rows of a dense layer after `flatten` follow height × width × channels; here images are channels
 * first.
 */
function flattenedWeight(data, units, [height, width, channels]) {
  const moved = new Float32Array(data.length);
  let to = 0;
  for (let u = 0; u < units; u++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < height * width; i++)
        moved[to++] = data[(u * height * width + i) * channels + c];
    }
  }
  return moved;
}

/**
 * The parameters of a layer in jax-js' layouts: dense inputs × units, convolutions filters ×
 * channels × rows × columns.
 */
function parametersOf({ kind, parameters, image }) {
  return parameters.map(([name, shape, data]) => {
    if (name === 'weight' && kind === 'dense') {
      const given = image ? flattenedWeight(data, shape[0], image) : data;
      return np.transpose(arrayOf(given, shape));
    }
    if (name === 'weight' && kind === 'conv')
      return np.transpose(arrayOf(data, shape), [0, 3, 1, 2]);
    return arrayOf(data, shape);
  });
}

const FORWARD = {
  dense: (x, [w, b]) => np.dot(x, w).add(b),
  conv: (x, [w, b], { filters }) => lax.conv(x, w, [1, 1], 'SAME').add(b.reshape([filters, 1, 1])),
  maxPool: (x, _v, { size }) => lax.reduceWindow(x, np.max, [size, size], [size, size]),
  relu: (x) => nn.relu(x),
  tanh: (x) => np.tanh(x),
  flatten: (x) => x.reshape([x.shape[0], -1]),
  embedding: (x, [table], { rows }) => np.dot(nn.oneHot(x, rows), table),
  batchNorm: (x, [gamma, beta]) => {
    const centred = x.ref.sub(np.mean(x, 0, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), 0, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(gamma)
      .add(beta);
  },
};

/** [mean cross-entropy, gradients] of a batch. */
function gradientsOf(layers, counts) {
  return valueAndGrad((parameters, x, y) => {
    let at = 0;
    let h = x;
    for (const [i, layer] of layers.entries()) {
      h = FORWARD[layer.kind](h, parameters.slice(at, at + counts[i]), layer);
      at += counts[i];
    }
    const rows = h.shape[0];
    return nn
      .logSoftmax(h)
      .mul(y)
      .sum()
      .mul(-1 / rows);
  });
}

/** The jitted step: [loss, ...parameters, ...moments]. */
function stepOf(layers, counts, { kind, lr, betas, eps }) {
  const gradients = gradientsOf(layers, counts);
  if (kind === 'sgd') {
    return jit((parameters, _moments, x, y) => {
      const [loss, grads] = gradients(
        parameters.map((each) => each.ref),
        x,
        y,
      );
      return {
        loss,
        parameters: parameters.map((each, i) => each.sub(grads[i].mul(lr))),
        moments: [],
      };
    });
  }
  const [beta1, beta2] = betas;
  return jit((parameters, moments, x, y, rate, correction) => {
    const [loss, grads] = gradients(
      parameters.map((each) => each.ref),
      x,
      y,
    );
    const next = moments.map(([m, v], i) => {
      const g = grads[i];
      return [
        m.mul(beta1).add(g.ref.mul(1 - beta1)),
        v.mul(beta2).add(np.square(g).mul(1 - beta2)),
      ];
    });
    const moved = parameters.map((each, i) => {
      const [m, v] = next[i];
      return each.sub(m.ref.mul(rate.ref).div(np.sqrt(v.ref).mul(correction.ref).add(eps)));
    });
    rate.dispose();
    correction.dispose();
    return { loss, parameters: moved, moments: next };
  });
}

/** Layers with the image that a dense one behind `flatten` takes apart. */
function layersOf(workload) {
  let image = null;
  return planOf(workload).map((layer) => {
    const own = layer.kind === 'dense' && image ? { ...layer, image } : layer;
    if (layer.kind === 'flatten') image = layer.from.length === 3 ? layer.from : null;
    if (layer.kind === 'dense') image = null;
    return own;
  });
}

/** The layers and the compiled step of a workload, which its models share. */
function compile(workload) {
  const layers = layersOf(workload);
  const counts = layers.map(({ parameters }) => parameters.length);
  return { layers, step: stepOf(layers, counts, workload.optimizer) };
}

function createTrainer({ optimizer }, { layers, step }) {
  const adam = optimizer.kind === 'adam';
  let parameters = layers.flatMap(parametersOf);
  let moments = adam ? parameters.map(({ shape }) => [np.zeros(shape), np.zeros(shape)]) : [];
  let [power1, power2] = [1, 1];
  const train = (x, y) => {
    let scalars = [];
    if (adam) {
      power1 *= optimizer.betas[0];
      power2 *= optimizer.betas[1];
      scalars = [np.array(optimizer.lr / (1 - power1)), np.array(1 / Math.sqrt(1 - power2))];
    }
    const result = step(parameters, moments, x, y, ...scalars);
    ({ parameters, moments } = result);
    return result.loss.dataSync()[0];
  };
  const dispose = () => {
    for (const each of [...parameters, ...moments.flat()]) each.dispose();
  };
  const finish = () => {
    for (const each of parameters) each.ref.dataSync();
  };
  return { train, finish, dispose };
}

/** One-hot targets. */
function targetsOf(labels, classes) {
  const y = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) y[i * classes + label] = 1;
  return y;
}

/** Features of a batch, images with channels first, and its targets. */
function batchOf({ input, classes, layers }, features, labels) {
  const count = labels.length;
  const x =
    layers[0].kind === 'embedding'
      ? arrayOf(Int32Array.from(features), [count, ...input], np.int32)
      : arrayOf(features, [count, ...input]);
  const y = arrayOf(targetsOf(labels, classes), [count, classes]);
  return { x: input.length === 3 ? np.transpose(x, [0, 3, 1, 2]) : x, y };
}

/** A step over batches that lie in jax-js' memory already. */
export async function createStep(workload) {
  await open();
  const { input, batch, samples } = workload;
  const size = input.reduce((product, length) => product * length, 1);
  const { features, labels } = dataOf(workload);
  const batches = Array.from({ length: samples / batch }, (_, i) => {
    const rows = features.subarray(i * batch * size, (i + 1) * batch * size);
    return batchOf(workload, rows, labels.subarray(i * batch, (i + 1) * batch));
  });
  const { train } = createTrainer(workload, compile(workload));
  let turn = 0;
  return () => {
    const { x, y } = batches[turn++ % batches.length];
    return train(x.ref, y.ref);
  };
}

function shuffle(order) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

export async function createFit(workload) {
  await open();
  const { input, batch, samples, epochs } = workload;
  const size = input.reduce((product, length) => product * length, 1);
  const { features, labels } = dataOf(workload);
  const compiled = compile(workload);
  return () => {
    const { train, finish, dispose } = createTrainer(workload, compiled);
    const order = Uint32Array.from({ length: samples }, (_, i) => i);
    let loss = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order);
      loss = 0;
      for (let from = 0; from < samples; from += batch) {
        const chosen = order.subarray(from, Math.min(samples, from + batch));
        const rows = new Float32Array(chosen.length * size);
        for (const [r, sample] of chosen.entries()) {
          rows.set(features.subarray(sample * size, (sample + 1) * size), r * size);
        }
        const { x, y } = batchOf(
          workload,
          rows,
          Int32Array.from(chosen, (sample) => labels[sample]),
        );
        loss += (chosen.length * train(x, y)) / samples;
      }
    }
    finish();
    dispose();
    return loss;
  };
}

export async function createProduct(workload) {
  await open();
  const { m, n, k } = workload;
  const { a, b } = matricesOf(workload);
  const [x, y] = [arrayOf(a, [m, k]), arrayOf(b, [k, n])];
  const product = jit((left, right) => np.dot(left, right));
  // Arrays are lazy: the product is made when it is read.
  return () => product(x.ref, y.ref).dataSync()[0];
}
