/**
 * Personalisation: a network that knows the digits 0 to 7 learns all ten on the device, from a few
 * samples of each.
 *
 * The network is trained once, elsewhere. On the device its body does not change: the new samples
 * pass through it once, and a small head is trained on the resulting embeddings. k-NN and logistic
 * regression use the same embeddings, and the pixels.
 */
import { AdamW, createRuntime } from 'adal-wasm';
import { loadDigits, trainTestSplit } from 'adal-wasm/data';
import {
  conv2d,
  createModel,
  dense,
  extractFeatures,
  fit,
  flatten,
  maxPool2d,
  predict,
  relu,
  sequential,
} from 'adal-wasm/nn';
import { knn } from './knn.js';
import { logisticRegression } from './logistic-regression.js';

const EMBEDDING = 'relu3';
const HEAD_STEPS = 600;
const { train, test } = trainTestSplit(loadDigits(), { seed: 1 });
const runtime = await createRuntime({ threads: 1 });

/** Returns the samples for which `keep(label, earlier samples of that label)` is true. */
function pick({ features, labels }, keep) {
  const seen = new Array(10).fill(0);
  const rows = [...labels.keys()].filter((i) => keep(labels[i], seen[labels[i]]++));
  const picked = new Float32Array(64 * rows.length);
  for (const [to, from] of rows.entries())
    picked.set(features.subarray(64 * from, 64 * (from + 1)), 64 * to);
  return { features: picked, labels: Int32Array.from(rows, (i) => labels[i]) };
}

/** Trains the network that is shipped, on eight of the ten digits. */
async function trainBase() {
  const layers = sequential([
    [conv2d(16, { kernelSize: 3, padding: 'same' }), relu(), maxPool2d(2)],
    [conv2d(32, { kernelSize: 3, padding: 'same' }), relu(), flatten()],
    [dense(32), relu(), dense(8)],
  ]);
  const base = await createModel(runtime, {
    inputShape: [8, 8, 1],
    layers,
    batchSize: 32,
    seed: 1,
  });
  const optimizer = new AdamW(runtime, base.parameters, { lr: 2e-3 });
  await fit(
    base,
    pick(train, (label) => label < 8),
    { optimizer, epochs: 15, seed: 1 },
  );
  optimizer.dispose();
  return base;
}

/**
 * Trains a head of one dense layer on embeddings.
 * @returns a function from rows of embeddings to classes, and the bytes it takes
 */
async function trainHead({ data, dims }, labels) {
  const before = runtime.info.usedBytes;
  const head = await createModel(runtime, {
    inputShape: dims.slice(1),
    layers: [dense(10)],
    batchSize: 16,
    seed: 1,
  });
  const optimizer = new AdamW(runtime, head.parameters, { lr: 1e-2 });
  const epochs = Math.ceil((16 * HEAD_STEPS) / labels.length);
  await fit(head, { features: { data, dims }, labels }, { optimizer, epochs, seed: 1 });
  const bytes = runtime.info.usedBytes - before;
  optimizer.dispose();
  const classify = (rows) => {
    const outputs = predict(head, rows);
    return Array.from({ length: outputs.length / 10 }, (_, i) => {
      const row = outputs.subarray(10 * i, 10 * (i + 1));
      return row.indexOf(Math.max(...row));
    });
  };
  return { classify, bytes, dispose: () => head.dispose() };
}

const byRow = (classify, size) => (rows) => {
  const count = rows.length / size;
  return Array.from({ length: count }, (_, i) => classify(rows.subarray(size * i, size * (i + 1))));
};

/**
 * Methods that learn ten classes from features. Each returns `classify` and the bytes it needs to
 * learn and to predict.
 */
const METHODS = {
  head: trainHead,
  'k-NN': (features, labels) => {
    return {
      classify: byRow(knn(features, labels), features.dims[1]),
      bytes: 4 * features.data.length,
    };
  },
  'L-BFGS': (features, labels) => {
    const [, size] = features.dims;
    // Weights, gradient, direction, trial and ten pairs, all float64, and the samples.
    const bytes = 8 * 10 * (size + 1) * 24 + 4 * features.data.length;
    return { classify: byRow(logisticRegression(features, labels, 10), size), bytes };
  },
};

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Learns five times for a median time, then classifies all test samples. */
async function measure(method, samples, tests) {
  const times = [];
  let learnt;
  for (let i = 0; i < 5; i++) {
    learnt?.dispose?.();
    const start = performance.now();
    learnt = await method(samples.features, samples.labels);
    times.push(performance.now() - start);
  }
  const start = performance.now();
  const classes = learnt.classify(tests.features.data);
  const predictMs = performance.now() - start;
  learnt.dispose?.();
  const right = classes.filter((found, i) => found === tests.labels[i]).length;
  return {
    accuracy: right / classes.length,
    learnMs: median(times),
    predictUs: (1000 * predictMs) / classes.length,
    bytes: learnt.bytes,
  };
}

const base = await trainBase();
const pixels = ({ features, labels }) => ({
  features: { data: features, dims: [labels.length, 64] },
  labels,
});
const embed = (samples) => extractFeatures(base, samples, { layer: EMBEDDING });

const table = [];
for (const shots of [3, 10, 50]) {
  const few = pick(train, (_, before) => before < shots);
  const start = performance.now();
  embed(few);
  const embedMs = performance.now() - start;
  for (const [input, view] of Object.entries({ embeddings: embed, pixels })) {
    for (const [name, method] of Object.entries(METHODS)) {
      const { accuracy, learnMs, predictUs, bytes } = await measure(method, view(few), view(test));
      table.push({
        shots,
        method: `${name} on ${input}`,
        'accuracy %': Number((100 * accuracy).toFixed(1)),
        'learn ms': Number((learnMs + (input === 'embeddings' ? embedMs : 0)).toFixed(1)),
        'predict µs': Number(predictUs.toFixed(1)),
        KB: Math.round(bytes / 1024),
      });
    }
  }
}
console.table(table);
const best = (shots) =>
  table.find((row) => row.shots === shots && row.method === 'head on embeddings');
const accuracies = [3, 10, 50].map((n) => `${best(n)['accuracy %']}% from ${n}`).join(', ');
console.log(`a head on embeddings: ${accuracies} samples a digit`);
if (best(50)['accuracy %'] < 90) process.exitCode = 1;
