/**
 * Trains small networks that between them hold every layer and every loss for a few steps, with
 * optimizers that the digits are not trained with. Sizes leave no vector whole.
 */
import { createOptimizer, type OptimizerName, type Runtime } from '../../../src/index';
import { Prng } from '../../../src/math/prng';
import {
  add,
  apply,
  average,
  avgPool1d,
  avgPool2d,
  batchNorm,
  bidirectional,
  binaryCrossEntropy,
  categoricalCrossEntropy,
  concat,
  conv1d,
  conv2d,
  conv2dTranspose,
  createModel,
  crossEntropy,
  dense,
  depthwiseConv2d,
  describeModel,
  dropout,
  elu,
  embedding,
  evaluate,
  flatten,
  gelu,
  globalAvgPool,
  globalMaxPool,
  graph,
  gru,
  huber,
  input,
  type Layer,
  type Loss,
  layerNorm,
  leakyRelu,
  lstm,
  type MetricName,
  type Model,
  type ModelOptions,
  maxout,
  maxPool1d,
  maxPool2d,
  meanAbsoluteError,
  meanSquaredError,
  multiHeadAttention,
  multiply,
  positionEmbedding,
  relu,
  relu6,
  repeatVector,
  reshape,
  separableConv2d,
  sigmoid,
  silu,
  simpleRnn,
  slice,
  softmax,
  tanh,
  upSampling1d,
  upSampling2d,
} from '../../../src/nn';
import { caught, checkBits, checkEqual, type Recorder } from './checks';
import { createAlternating, withRuntime } from './configuration';
import { bytesOf, join } from './state';

const BATCH = 5;
const STEPS = 4;

interface NetworkCase {
  readonly model: ModelOptions;
  readonly optimizer: readonly [OptimizerName, Record<string, unknown>];
  /** Inputs whose values are whole numbers, from the first to below the second. */
  readonly whole?: Readonly<Record<string, readonly [number, number]>>;
  /** Whether the samples have weights. */
  readonly weighted?: boolean;
}

/** x + attention(norm x), then x + dense layers(norm x). */
function transformer(): ModelOptions {
  const x = input('words', 6)
    .apply(embedding(7, 6, { paddingIndex: 0 }))
    .apply(positionEmbedding({ maxSteps: 9 }));
  const attention = multiHeadAttention({ heads: 3, causal: true, dropout: 0.2 });
  const y = apply(add(), [x, x.apply(layerNorm()).apply(attention)]);
  const inner = y.apply(layerNorm()).apply(dense(11)).apply(gelu()).apply(dense(6));
  // Indices have no gradient.
  return { ...graph([apply(add(), [y, inner]).apply(dense(7))]), inputGradients: false };
}

/** Sequences with lengths and a first state, two outputs, penalties. */
function recurrentGraph(): ModelOptions {
  const [x, lengths] = [input('x', [6, 3]), input('lengths', 1)];
  const cell = lstm(5, { initialState: true, returnState: true, lengths: true });
  const end = apply(cell, [x, input('state', 10), lengths], 'cell');
  const both = apply(bidirectional(gru(3, { lengths: true })), [x, lengths], 'both');
  const merged = apply(concat(), [end, both]);
  return {
    ...graph({ group: merged.apply(dense(4), 'groups'), size: merged.apply(dense(2), 'sizes') }),
    loss: { group: crossEntropy({ classWeights: [1, 2, 0.5, 1] }), size: meanAbsoluteError() },
    lossWeights: { group: 0.7, size: 1.5 },
    penalties: [{ match: ['groups.weight'], l1: 1e-3, l2: 0.02 }],
  };
}

/** One layer for two inputs, then all that merges. */
function merging(): ModelOptions {
  const shared = dense(7, { kernelInitializer: 'orthogonal' });
  const both = ['a', 'b'].map((name) => input(name, 5).apply(shared, `of-${name}`));
  const values = [add(), average(), multiply()].map((layer) => apply(layer, both));
  const logits = apply(concat(), values).apply(tanh()).apply(dense(3));
  return { ...graph([logits]), freeze: ['of-a.bias'] };
}

/** Attention to another sequence, whose padding a mask hides. */
function crossAttention(): ModelOptions {
  const [query, memory] = [input('query', [3, 4]), input('memory', [5, 4])];
  const positions = query.apply(positionEmbedding({ encoding: 'sinusoidal' }));
  const layer = multiHeadAttention({ heads: 2, keyDim: 3, valueDim: 5, paddingMask: true });
  const attended = apply(layer, [positions, memory, input('count', 1)]);
  return { ...graph([attended.apply(dense(3))]), loss: categoricalCrossEntropy() };
}

export const NETWORKS: Readonly<Record<string, NetworkCase>> = {
  activations: {
    model: {
      inputSize: 5,
      layers: [
        [dense(9, { kernelInitializer: 'lecunNormal' }), elu(0.7), dense(7), gelu()],
        [dense(6), gelu({ approximate: 'tanh' }), dense(6), leakyRelu(), dense(6), silu()],
        [dense(6), sigmoid(), dense(9), softmax(), dense(6), relu6(), dense(4)],
      ].flat(),
      loss: crossEntropy({ labelSmoothing: 0.1 }),
    },
    optimizer: ['adamax', { lr: 0.02 }],
  },
  'maxout, norms, dropout': {
    model: {
      inputShape: [3, 5],
      layers: [
        [maxout(6, 3), layerNorm(), dropout(0.3), dense(7, { useBias: false }), flatten()],
        [batchNorm({ runningVariance: 'biased' }), relu(), dense(3)],
      ].flat(),
      loss: binaryCrossEntropy({ posWeight: [2, 1, 0.5] }),
    },
    optimizer: ['muon', { lr: 0.02 }],
    weighted: true,
  },
  images: {
    model: {
      inputShape: [7, 6, 3],
      layers: [
        [conv2d(5, { kernelSize: [2, 3], padding: 'same', dilation: 2 }), batchNorm(), relu()],
        [maxPool2d(3, { stride: 2, padding: 1 }), depthwiseConv2d({ kernelSize: 2 }), silu()],
        [upSampling2d(2, { interpolation: 'bilinear' }), separableConv2d(6, { kernelSize: 3 })],
        [avgPool2d(2, { stride: 1, padding: 'same' }), globalAvgPool(), dense(3)],
      ].flat(),
      loss: huber({ delta: 0.4 }),
    },
    optimizer: ['adadelta', { lr: 1, eps: 1e-4 }],
  },
  'classes of pixels': {
    model: {
      inputShape: [3, 4, 3],
      layers: [
        [conv2d(5, { kernelSize: 1, kernelInitializer: 'glorotNormal' }), upSampling2d([2, 1])],
        [conv2dTranspose(4, { kernelSize: 3, stride: 2, padding: 'same' })],
      ].flat(),
      loss: crossEntropy({ ignoreLabel: 3, reduction: 'weighted-mean' }),
    },
    optimizer: ['adam', { lr: 0.01 }],
  },
  'convolutions over time': {
    model: {
      inputShape: [11, 3],
      layers: [
        [conv1d(5, { kernelSize: 3, padding: 'causal', dilation: 2 }), tanh()],
        [maxPool1d(3, { stride: 2, padding: 'same' }), upSampling1d(2), slice(1, -2)],
        [avgPool1d(2), conv1d(6, { kernelSize: 2, padding: 'same' }), globalMaxPool(), dense(2)],
      ].flat(),
      loss: meanSquaredError(),
    },
    optimizer: ['rmsprop', { lr: 0.01, epsInSqrt: true, eps: 1e-7 }],
    weighted: true,
  },
  'recurrent layers': {
    model: {
      inputSize: 6,
      layers: [
        [dense(5), repeatVector(4), reshape([5, -1]), lstm(5, { returnSequences: true })],
        [gru(6, { returnSequences: true, goBackwards: true, recurrentActivation: 'hardSigmoid' })],
        [gru(5, { returnSequences: true, resetAfter: false })],
        [bidirectional(lstm(3, { returnSequences: true }), { merge: 'multiply' })],
        [simpleRnn(6, { activation: 'relu', useBias: false }), dense(2)],
      ].flat(),
      loss: meanSquaredError(),
    },
    optimizer: ['nadam', { lr: 0.01, l2: 0.01 }],
  },
  'lengths, states, two outputs': {
    model: recurrentGraph(),
    optimizer: ['sgd', { lr: 0.1, momentum: 0.9, nesterov: true }],
    whole: { lengths: [1, 7] },
    weighted: true,
  },
  'a transformer': {
    model: transformer(),
    optimizer: ['muon', { lr: 0.02, adjustLr: 'match-rms-adamw' }],
    whole: { words: [0, 7] },
  },
  'attention to a padded sequence': {
    model: crossAttention(),
    optimizer: ['schedule-free-adamw', { lr: 0.01 }],
    whole: { count: [1, 6] },
  },
  'merged values, shared weights': {
    model: merging(),
    optimizer: ['lion', { lr: 0.01, clipGradNorm: 0.5 }],
  },
};

/** Draws a batch into the model; returns it. */
function drawBatch(model: Model, { whole = {}, weighted }: NetworkCase, prng: Prng) {
  const features: Record<string, Float32Array> = {};
  for (const [name, values] of Object.entries(model.inputs)) {
    const [first, end] = whole[name] ?? [-1, 1];
    for (let i = 0; i < values.length; i++) {
      const value = first + (end - first) * prng.uniform();
      values[i] = whole[name] ? Math.floor(value) : value;
    }
    features[name] = values.slice();
  }
  const labels: Record<string, Int32Array> = {};
  const targets: Record<string, Float32Array> = {};
  for (const [name, values] of Object.entries(model.outputTargets)) {
    const classes = model.outputShapes[name]!.at(-1)!;
    for (let i = 0; i < values.length; i++)
      values[i] = prng.uniform() * (values instanceof Int32Array ? classes : 1);
    if (values instanceof Int32Array) labels[name] = values.slice();
    else targets[name] = values.slice();
  }
  const sampleWeights = Float32Array.from({ length: BATCH }, () => prng.uniform() + 0.5);
  return { features, labels, targets, ...(weighted && { sampleWeights }) };
}

const METRICS: Readonly<Record<'classes' | 'values', readonly MetricName[]>> = {
  classes: ['accuracy', 'precision', 'recall', 'f1', 'auc'],
  values: ['meanAbsoluteError', 'rootMeanSquaredError', 'r2'],
};

/** Returns the metrics that apply to some loss of the model. */
function metricsOf(model: Model): MetricName[] {
  const kinds = Object.values(model.losses).map((loss) => loss!.kind);
  const onClasses = kinds.filter((kind) => /crossEntropy$/i.test(kind));
  return [
    ...(onClasses.length > 0 ? METRICS.classes : []),
    ...(onClasses.length < kinds.length ? METRICS.values : []),
  ];
}

/** Returns the only value of a record, the record if it has several, or else undefined. */
function onlyOf<T>(values: Readonly<Record<string, T>>) {
  const all = Object.values(values);
  return all.length > 1 ? values : all[0];
}

/** Trains a network; returns the bytes of all losses, weights, states, outputs and metrics. */
async function trainNetwork(each: NetworkCase, runtime: Runtime): Promise<Uint8Array> {
  const options = { inputGradients: true, ...each.model, batchSize: BATCH, seed: 3 };
  const model = await createModel(runtime, options);
  const [name, settings] = each.optimizer;
  const optimizer = await createOptimizer(name, model.parameters, { runtime, ...settings });
  const advance = createAlternating();
  const prng = new Prng(17);
  const losses = new Float64Array(STEPS);
  const parts: Uint8Array[] = [];
  for (let step = 0; step < STEPS; step++) {
    const { sampleWeights } = drawBatch(model, each, prng);
    losses[step] = model.computeGradients(BATCH, { sampleWeights });
    if (options.inputGradients) parts.push(...Object.values(model.inputGradients).map(bytesIn));
    await advance(optimizer);
  }
  const { features, labels, targets, sampleWeights } = drawBatch(model, each, prng);
  const outputs = Object.keys(model.losses).length;
  const data = {
    features: onlyOf(features)!,
    labels: outputs > 1 ? labels : onlyOf(labels),
    targets: outputs > 1 ? targets : onlyOf(targets),
    sampleWeights,
  };
  const evaluation = evaluate(model, data, { metrics: metricsOf(model) });
  parts.push(bytesIn(losses), bytesOf(optimizer));
  parts.push(...Object.values(model.stateDict().arrays).map(({ data }) => bytesIn(data)));
  parts.push(...Object.values(model.outputs).map(bytesIn));
  parts.push(new TextEncoder().encode(JSON.stringify(evaluation)));
  optimizer.dispose();
  model.dispose();
  return join(parts);
}

const bytesIn = (values: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(values.slice().buffer);

/** The oracle's bytes of each network, which are the same for every configuration. */
const references = new Map<string, Uint8Array>();

/** Trains all networks, compares them with the oracle, and returns their bytes. */
export async function testNetworks(recorder: Recorder, runtime: Runtime): Promise<Uint8Array[]> {
  await recorder.test('the networks hold every layer and loss', checkKinds);
  const parts: Uint8Array[] = [];
  for (const [name, each] of Object.entries(NETWORKS)) {
    await recorder.test(`bits of the oracle: a network with ${name}`, async () => {
      const bytes = await trainNetwork(each, runtime);
      parts.push(bytes);
      const reference =
        references.get(name) ??
        (await withRuntime('oracle', (oracle) => trainNetwork(each, oracle)));
      references.set(name, reference);
      checkBits(bytes, reference, 'bytes');
    });
  }
  return parts;
}

/** Returns the kinds that the error of a wrong one lists. */
async function kindsListed(options: object): Promise<string[]> {
  const error = await caught(() => describeModel({ inputSize: 2, layers: [tanh()], ...options }));
  return (/\(([\w, ]+)\), got/.exec(String(error))?.[1] ?? '').split(', ').sort();
}

async function checkKinds(): Promise<void> {
  const layers = new Set<string>();
  const losses = new Set<string>();
  const see = (layer: Layer) => {
    layers.add(layer.kind);
    if (layer.kind === 'bidirectional') see(layer.layer as Layer);
  };
  for (const { model } of Object.values(NETWORKS)) {
    for (const layer of model.layers ?? model.nodes!.map((node) => node.layer))
      if (typeof layer !== 'string') see(layer);
    const given = model.loss ?? crossEntropy();
    for (const { kind } of 'kind' in given ? [given as Loss] : Object.values(given))
      losses.add(kind);
  }
  const none = { kind: 'none' };
  checkEqual([...layers].sort(), await kindsListed({ layers: [none] }), 'layers');
  checkEqual([...losses].sort(), await kindsListed({ loss: none }), 'losses');
}
