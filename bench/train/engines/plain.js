/**
 * Plain JavaScript: the loops that one writes by hand over Float32Arrays, without WebAssembly.
 * Layers keep their parameters, gradients and buffers; a step allocates nothing.
 */
import { dataOf, matricesOf, planOf } from '../workloads.js';
import { convLayer, maxPoolLayer } from './plain-images.js';

export const version = 'of engines/plain.js';

/** A parameter array with its gradient and the moments of Adam. */
function trainable([, , first]) {
  const zeros = () => new Float32Array(first.length);
  return { values: Float32Array.from(first), grad: zeros(), m: zeros(), v: zeros() };
}

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

function denseLayer({ from, to, parameters }, batch) {
  const [inputs, units] = [sizeOf(from), sizeOf(to)];
  const [weight, bias] = parameters.map(trainable);
  const [y, dx] = [new Float32Array(batch * units), new Float32Array(batch * inputs)];
  return {
    parameters: [weight, bias],
    forward(x, count) {
      const w = weight.values;
      for (let r = 0; r < count; r++) {
        for (let o = 0; o < units; o++) {
          let sum = bias.values[o];
          for (let i = 0; i < inputs; i++) sum += w[o * inputs + i] * x[r * inputs + i];
          y[r * units + o] = sum;
        }
      }
      return y;
    },
    backward(x, dy, count, wanted) {
      const [w, dw, db] = [weight.values, weight.grad, bias.grad];
      dw.fill(0);
      db.fill(0);
      if (wanted) dx.fill(0);
      for (let r = 0; r < count; r++) {
        for (let o = 0; o < units; o++) {
          const g = dy[r * units + o];
          db[o] += g;
          for (let i = 0; i < inputs; i++) dw[o * inputs + i] += g * x[r * inputs + i];
          if (wanted) for (let i = 0; i < inputs; i++) dx[r * inputs + i] += g * w[o * inputs + i];
        }
      }
      return dx;
    },
  };
}

/** Element by element: `slope` of the output. */
function activationLayer({ to }, batch, apply, slope) {
  const size = sizeOf(to);
  const [y, dx] = [new Float32Array(batch * size), new Float32Array(batch * size)];
  return {
    parameters: [],
    forward(x, count) {
      for (let i = 0; i < count * size; i++) y[i] = apply(x[i]);
      return y;
    },
    backward(_x, dy, count) {
      for (let i = 0; i < count * size; i++) dx[i] = dy[i] * slope(y[i]);
      return dx;
    },
  };
}

function embeddingLayer({ from, dim, parameters }, batch) {
  const length = sizeOf(from);
  const [table] = parameters.map(trainable);
  const y = new Float32Array(batch * length * dim);
  return {
    parameters: [table],
    forward(x, count) {
      for (let i = 0; i < count * length; i++) {
        for (let d = 0; d < dim; d++) y[i * dim + d] = table.values[x[i] * dim + d];
      }
      return y;
    },
    backward(x, dy, count) {
      table.grad.fill(0);
      for (let i = 0; i < count * length; i++) {
        for (let d = 0; d < dim; d++) table.grad[x[i] * dim + d] += dy[i * dim + d];
      }
      return null;
    },
  };
}

function batchNormLayer({ to, parameters }, batch) {
  const channels = sizeOf(to);
  const [gamma, beta] = parameters.map(trainable);
  const [y, dx, normal] = [1, 2, 3].map(() => new Float32Array(batch * channels));
  const inverse = new Float32Array(channels);
  return {
    parameters: [gamma, beta],
    forward(x, count) {
      for (let c = 0; c < channels; c++) {
        let mean = 0;
        let square = 0;
        for (let r = 0; r < count; r++) mean += x[r * channels + c] / count;
        for (let r = 0; r < count; r++) square += (x[r * channels + c] - mean) ** 2 / count;
        inverse[c] = 1 / Math.sqrt(square + 1e-5);
        for (let r = 0; r < count; r++) {
          const i = r * channels + c;
          normal[i] = (x[i] - mean) * inverse[c];
          y[i] = gamma.values[c] * normal[i] + beta.values[c];
        }
      }
      return y;
    },
    backward(_x, dy, count, wanted) {
      for (let c = 0; c < channels; c++) {
        let [dgamma, dbeta] = [0, 0];
        for (let r = 0; r < count; r++) {
          dbeta += dy[r * channels + c];
          dgamma += dy[r * channels + c] * normal[r * channels + c];
        }
        gamma.grad[c] = dgamma;
        beta.grad[c] = dbeta;
        const scale = gamma.values[c] * inverse[c];
        for (let i = c; wanted && i < count * channels; i += channels) {
          dx[i] = scale * (dy[i] - dbeta / count - (normal[i] * dgamma) / count);
        }
      }
      return dx;
    },
  };
}

/** The flat array is the same array. */
const flattenLayer = () => ({ parameters: [], forward: (x) => x, backward: (_x, dy) => dy });

const LAYERS = {
  dense: denseLayer,
  conv: (plan, batch) => convLayer(plan, batch, plan.parameters.map(trainable)),
  maxPool: maxPoolLayer,
  embedding: embeddingLayer,
  batchNorm: batchNormLayer,
  flatten: flattenLayer,
  relu: (plan, batch) =>
    activationLayer(
      plan,
      batch,
      (x) => (x < 0 ? 0 : x),
      (y) => (y > 0 ? 1 : 0),
    ),
  tanh: (plan, batch) => activationLayer(plan, batch, Math.tanh, (y) => 1 - y * y),
};

/** Mean cross-entropy; `gradient` takes that of the logits. */
function crossEntropy(logits, labels, gradient, count, classes) {
  let loss = 0;
  for (let r = 0; r < count; r++) {
    const at = r * classes;
    let most = logits[at];
    for (let c = 1; c < classes; c++) most = Math.max(most, logits[at + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += gradient[at + c] = Math.exp(logits[at + c] - most);
    for (let c = 0; c < classes; c++)
      gradient[at + c] = (gradient[at + c] / sum - (c === labels[r] ? 1 : 0)) / count;
    loss += (Math.log(sum) + most - logits[at + labels[r]]) / count;
  }
  return loss;
}

function updater({ kind, lr, betas, eps }) {
  let t = 0;
  if (kind === 'sgd') {
    return (parameters) => {
      for (const { values, grad } of parameters)
        for (let i = 0; i < values.length; i++) values[i] -= lr * grad[i];
    };
  }
  const [beta1, beta2] = betas;
  return (parameters) => {
    t++;
    const scale = lr / (1 - beta1 ** t);
    const correction = 1 / Math.sqrt(1 - beta2 ** t);
    for (const { values, grad, m, v } of parameters) {
      for (let i = 0; i < values.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * grad[i];
        v[i] = beta2 * v[i] + (1 - beta2) * grad[i] * grad[i];
        values[i] -= (scale * m[i]) / (Math.sqrt(v[i]) * correction + eps);
      }
    }
  };
}

/** Trains on `count` samples that lie in `x` and `labels`; returns their mean loss. */
function createTrainer(workload) {
  const { batch, classes } = workload;
  const layers = planOf(workload).map((plan) => LAYERS[plan.kind](plan, batch));
  const parameters = layers.flatMap((layer) => layer.parameters);
  const update = updater(workload.optimizer);
  const gradient = new Float32Array(batch * classes);
  const inputs = [];
  return (x, labels, count) => {
    for (const [index, layer] of layers.entries()) {
      inputs[index] = x;
      x = layer.forward(x, count);
    }
    const loss = crossEntropy(x, labels, gradient, count, classes);
    let dy = gradient;
    for (let i = layers.length - 1; i >= 0; i--)
      dy = layers[i].backward(inputs[i], dy, count, i > 0);
    update(parameters);
    return loss;
  };
}

export async function createStep(workload) {
  const { batch, samples, input } = workload;
  const { features, labels } = dataOf(workload);
  const train = createTrainer(workload);
  const size = sizeOf(input);
  let at = 0;
  return () => {
    const loss = train(
      features.subarray(at * size, (at + batch) * size),
      labels.subarray(at, at + batch),
      batch,
    );
    at = at + 2 * batch > samples ? 0 : at + batch;
    return loss;
  };
}

function shuffle(order) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

export async function createFit(workload) {
  const { batch, samples, input, epochs } = workload;
  const { features, labels } = dataOf(workload);
  const size = sizeOf(input);
  return () => {
    const train = createTrainer(workload);
    const order = Uint32Array.from({ length: samples }, (_, i) => i);
    const [x, y] = [new Float32Array(batch * size), new Int32Array(batch)];
    let loss = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order);
      loss = 0;
      for (let from = 0; from < samples; from += batch) {
        const count = Math.min(batch, samples - from);
        for (let r = 0; r < count; r++) {
          const sample = order[from + r];
          for (let i = 0; i < size; i++) x[r * size + i] = features[sample * size + i];
          y[r] = labels[sample];
        }
        loss += (count * train(x, y, count)) / samples;
      }
    }
    return loss;
  };
}

export async function createProduct(workload) {
  const { m, n, k } = workload;
  const { a, b } = matricesOf(workload);
  const c = new Float32Array(m * n);
  return () => {
    c.fill(0);
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        const s = a[i * k + p];
        for (let j = 0; j < n; j++) c[i * n + j] += s * b[p * n + j];
      }
    }
    return c[0];
  };
}
