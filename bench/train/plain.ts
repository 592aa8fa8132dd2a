/**
 * Plain JavaScript: the loops that one writes by hand over Float32Arrays, without WebAssembly.
 * Layers keep their parameters, gradients and buffers: a step allocates nothing.
 */
import { type Run, shuffle } from './engine';
import { convLayer, maxPoolLayer } from './plain-images';
import { type PlainLayer, type Trainable, trainable } from './plain-layer';
import {
  dataOf,
  type LayerOf,
  matricesOf,
  type PlannedLayer,
  type ProductWorkload,
  planOf,
  type Rule,
  sizeOf,
  type TrainingWorkload,
} from './workloads';

export const version = 'of train/plain.ts';

function denseLayer({ from, to, parameters }: PlannedLayer, batch: number): PlainLayer {
  const [inputs, units] = [sizeOf(from), sizeOf(to)];
  const [weight, bias] = parameters.map(trainable) as [Trainable, Trainable];
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

/**
 * Creates an activation.
 * @param slope returns the derivative, from the output
 */
function activationLayer(
  { to }: PlannedLayer,
  batch: number,
  apply: (x: number) => number,
  slope: (y: number) => number,
): PlainLayer {
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

function embeddingLayer(
  { from, dim, parameters }: PlannedLayer<LayerOf<'embedding'>>,
  batch: number,
): PlainLayer {
  const length = sizeOf(from);
  const [table] = parameters.map(trainable) as [Trainable];
  const y = new Float32Array(batch * length * dim);
  const none = new Float32Array(0);
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
      return none;
    },
  };
}

function batchNormLayer({ to, parameters }: PlannedLayer, batch: number): PlainLayer {
  const channels = sizeOf(to);
  const [gamma, beta] = parameters.map(trainable) as [Trainable, Trainable];
  const [y, dx, normal] = [1, 2, 3].map(() => new Float32Array(batch * channels)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
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

/** Creates a flatten layer: the flat array is the same array. */
const flattenLayer = (): PlainLayer => ({
  parameters: [],
  forward: (x) => x,
  backward: (_x, dy) => dy,
});

function layerOf(plan: PlannedLayer, batch: number): PlainLayer {
  switch (plan.kind) {
    case 'dense':
      return denseLayer(plan, batch);
    case 'conv': {
      const [weight, bias] = plan.parameters.map(trainable) as [Trainable, Trainable];
      return convLayer(plan, batch, weight, bias);
    }
    case 'maxPool':
      return maxPoolLayer(plan, batch);
    case 'embedding':
      return embeddingLayer(plan, batch);
    case 'batchNorm':
      return batchNormLayer(plan, batch);
    case 'flatten':
      return flattenLayer();
    case 'relu':
      return activationLayer(
        plan,
        batch,
        (x) => (x < 0 ? 0 : x),
        (y) => (y > 0 ? 1 : 0),
      );
    case 'tanh':
      return activationLayer(plan, batch, Math.tanh, (y) => 1 - y * y);
    default:
      throw new Error(`plain JS has no layer of kind ${plan.kind}`);
  }
}

/** Returns the mean cross-entropy, and writes the gradient of the logits to `gradient`. */
function crossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  gradient: Float32Array,
  count: number,
  classes: number,
): number {
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

/** Returns the update of an optimizer. */
function updater(rule: Rule): (parameters: readonly Trainable[]) => void {
  const { lr } = rule;
  let t = 0;
  if (rule.kind === 'sgd') {
    return (parameters) => {
      for (const { values, grad } of parameters)
        for (let i = 0; i < values.length; i++) values[i] -= lr * grad[i];
    };
  }
  const { betas, eps } = rule;
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

/** Trains on `count` samples; returns their mean loss. */
type Trainer = (x: Float32Array, labels: Int32Array, count: number) => number;

function createTrainer(workload: TrainingWorkload): Trainer {
  const { batch, classes } = workload;
  const layers = planOf(workload).map((plan) => layerOf(plan, batch));
  const parameters = layers.flatMap((layer) => layer.parameters);
  const update = updater(workload.optimizer);
  const gradient = new Float32Array(batch * classes);
  const inputs: Float32Array[] = [];
  return (x, labels, count) => {
    for (const [index, layer] of layers.entries()) {
      inputs[index] = x;
      x = layer.forward(x, count);
    }
    const loss = crossEntropy(x, labels, gradient, count, classes);
    let dy: Float32Array = gradient;
    for (let i = layers.length - 1; i >= 0; i--)
      dy = layers[i]!.backward(inputs[i]!, dy, count, i > 0);
    update(parameters);
    return loss;
  };
}

export async function createStep(workload: TrainingWorkload): Promise<Run> {
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

export async function createFit(workload: TrainingWorkload): Promise<Run> {
  const { batch, samples, input, epochs = 0 } = workload;
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

export async function createProduct(workload: ProductWorkload): Promise<Run> {
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
