/** The twins in TensorFlow.js, as its users write them: layers, `compile`, `trainOnBatch`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { toTensorFlow } from './weights.js';

const paddingOf = ({ padding = 0 }) => {
  if (padding === 'same') return 'same';
  if ([padding].flat().some((pixels) => pixels !== 0))
    throw new Error(`TensorFlow.js has no padding ${JSON.stringify(padding)}`);
  return 'valid';
};

const windowOf = (layer) => ({
  kernelSize: layer.kernelSize,
  strides: layer.stride ?? 1,
  dilationRate: layer.dilation ?? 1,
  padding: paddingOf(layer),
  useBias: layer.useBias ?? true,
});
const poolOf = (layer) => ({
  poolSize: layer.size,
  strides: layer.stride ?? layer.size,
  padding: paddingOf(layer),
});
const recurrentOf = ({ units, returnSequences, returnState, goBackwards, useBias, ...layer }) => {
  if (goBackwards && returnSequences)
    throw new Error('goBackwards reverses the sequence that TensorFlow.js returns');
  if (layer.kind === 'gru' && (layer.resetAfter ?? true))
    throw new Error('TensorFlow.js has no GRU that resets after the product');
  return {
    units,
    returnSequences,
    returnState,
    goBackwards,
    useBias,
    activation: layer.activation ?? 'tanh',
    // Weights are replaced; the default, orthogonal, needs operations that are not loaded.
    recurrentInitializer: 'zeros',
    ...(layer.kind !== 'simpleRnn' && {
      recurrentActivation: layer.recurrentActivation ?? 'sigmoid',
    }),
  };
};

const MERGES = { concat: 'concat', sum: 'sum', average: 'ave', multiply: 'mul' };

/** By kind: returns the layer; `rank` is the number of axes of its input, with that of samples. */
const makers = (layers) => {
  const activation = (name) => () => layers.activation({ activation: name });
  const makers = {
    dense: ({ units, useBias }, _, extra) => layers.dense({ units, useBias, ...extra }),
    conv2d: (layer, _, extra) =>
      layers.conv2d({ filters: layer.filters, ...windowOf(layer), ...extra }),
    conv1d: (layer) => layers.conv1d({ filters: layer.filters, ...windowOf(layer) }),
    depthwiseConv2d: (layer) =>
      layers.depthwiseConv2d({ depthMultiplier: layer.depthMultiplier ?? 1, ...windowOf(layer) }),
    separableConv2d: (layer) =>
      layers.separableConv2d({
        filters: layer.filters,
        depthMultiplier: layer.depthMultiplier ?? 1,
        ...windowOf(layer),
      }),
    conv2dTranspose: (layer) =>
      layers.conv2dTranspose({ filters: layer.filters, ...windowOf(layer) }),
    maxPool2d: (layer) => layers.maxPooling2d(poolOf(layer)),
    maxPool1d: (layer) => layers.maxPooling1d(poolOf(layer)),
    avgPool2d: (layer) => layers.averagePooling2d(poolOf(layer)),
    avgPool1d: (layer) => layers.averagePooling1d(poolOf(layer)),
    globalAvgPool: (_, rank) =>
      rank === 3 ? layers.globalAveragePooling1d() : layers.globalAveragePooling2d({}),
    globalMaxPool: (_, rank) =>
      rank === 3 ? layers.globalMaxPooling1d() : layers.globalMaxPooling2d({}),
    embedding: ({ rows, dim }) => layers.embedding({ inputDim: rows, outputDim: dim }),
    upSampling2d: ({ size = 2 }) => layers.upSampling2d({ size: [size, size].flat().slice(0, 2) }),
    lstm: (layer) => layers.lstm(recurrentOf(layer)),
    gru: (layer) => layers.gru(recurrentOf(layer)),
    simpleRnn: (layer) => layers.simpleRNN(recurrentOf(layer)),
    bidirectional: ({ layer, merge = 'concat' }, rank) =>
      layers.bidirectional({ layer: makers[layer.kind](layer, rank), mergeMode: MERGES[merge] }),
    flatten: () => layers.flatten(),
    reshape: ({ shape }) => layers.reshape({ targetShape: [...shape] }),
    repeatVector: ({ times }) => layers.repeatVector({ n: times }),
    batchNorm: ({ eps = 1e-5, momentum = 0.1, runningVariance }) => {
      if (runningVariance !== 'biased') throw new Error("TensorFlow.js's variance is biased");
      return layers.batchNormalization({ epsilon: eps, momentum: 1 - momentum });
    },
    layerNorm: ({ eps = 1e-5 }) => layers.layerNormalization({ epsilon: eps }),
    dropout: ({ rate }) => layers.dropout({ rate }),
    relu: () => layers.reLU(),
    leakyRelu: ({ slope = 0.01 }) => layers.leakyReLU({ alpha: slope }),
    tanh: activation('tanh'),
    sigmoid: activation('sigmoid'),
    silu: activation('swish'),
    elu: ({ alpha = 1 }) => layers.elu({ alpha }),
    relu6: () => layers.reLU({ maxValue: 6 }),
    gelu: ({ approximate = 'none' }) =>
      layers.activation({ activation: approximate === 'tanh' ? 'gelu_new' : 'gelu' }),
    softmax: () => layers.softmax(),
    add: () => layers.add(),
    average: () => layers.average(),
    multiply: () => layers.multiply(),
    concat: () => layers.concatenate({ axis: -1 }),
  };
  return makers;
};

/** Kinds of layers that have a twin. */
export const KINDS = Object.keys(makers({}));

const OPTIMIZERS = {
  sgd: (train, { lr, momentum = 0, nesterov = false }) =>
    momentum > 0 ? train.momentum(lr, momentum, nesterov) : train.sgd(lr),
  adam: (train, { lr, betas, eps }) => train.adam(lr, ...betas, eps),
  adamax: (train, { lr, betas, eps }) => train.adamax(lr, ...betas, eps),
  adagrad: (train, { lr, initialAccumulator }) => train.adagrad(lr, initialAccumulator),
  rmsprop: (train, { lr, alpha, eps, momentum = 0, centered = false, epsInSqrt }) => {
    if (!epsInSqrt) throw new Error('TensorFlow.js adds ε under the root');
    return train.rmsprop(lr, alpha, momentum, eps, centered);
  },
};

/** Names of optimizers that have a twin. */
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS);

/** The losses that Keras computes on probabilities, by ours, and what makes probabilities. */
const KERAS_LOSSES = {
  crossEntropy: ['categoricalCrossentropy', 'softmax'],
  categoricalCrossEntropy: ['categoricalCrossentropy', 'softmax'],
  binaryCrossEntropy: ['binaryCrossentropy', 'sigmoid'],
  meanSquaredError: ['meanSquaredError', 'linear'],
  meanAbsoluteError: ['meanAbsoluteError', 'linear'],
};

/**
 * Loads TensorFlow.js.
 * @param folder a folder with its packages in node_modules
 */
export async function loadTensorFlow(folder) {
  const load = createRequire(join(folder, 'package.json'));
  const tf = load('@tensorflow/tfjs-core');
  const { layers, input, model, regularizers } = load('@tensorflow/tfjs-layers');
  load('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  return { tf, layers, input, model, regularizers, version: tf.version_core };
}

/** Returns the function (targets, output) → loss of one output; `batch()` is the current batch. */
function lossOf({ tf }, loss, name, weight, batch) {
  const { MEAN, SUM_BY_NONZERO_WEIGHTS } = tf.Reduction;
  const { losses } = tf;
  const scaled = (value) => (weight === 1 ? value : tf.mul(value, weight));
  /** Weights of samples in the shape that broadcasts over their losses. */
  const sampleWeights = (rank) => {
    const { sampleWeights: weights } = batch();
    return weights && tf.tensor(weights, [weights.length, ...new Array(rank - 1).fill(1)]);
  };
  switch (loss.kind) {
    case 'crossEntropy': {
      const { classWeights, ignoreLabel, labelSmoothing, reduction = 'mean' } = loss;
      const by = reduction === 'mean' ? SUM_BY_NONZERO_WEIGHTS : MEAN;
      return (targets, logits) => {
        const { data, shape } = batch().targets[name];
        let weights = sampleWeights(shape.length) ?? 1;
        if (classWeights || ignoreLabel !== undefined) {
          const own = Array.from(data, (label) =>
            label === ignoreLabel ? 0 : (classWeights?.[label] ?? 1),
          );
          weights = tf.mul(weights, tf.tensor(own, shape));
        }
        if (typeof weights === 'number') weights = undefined;
        return scaled(losses.softmaxCrossEntropy(targets, logits, weights, labelSmoothing, by));
      };
    }
    case 'categoricalCrossEntropy':
      return (targets, logits) =>
        scaled(
          losses.softmaxCrossEntropy(
            targets,
            logits,
            sampleWeights(logits.rank - 1),
            loss.labelSmoothing,
          ),
        );
    case 'binaryCrossEntropy':
      return (targets, logits) =>
        scaled(losses.sigmoidCrossEntropy(targets, logits, sampleWeights(logits.rank)));
    case 'meanSquaredError':
      return (targets, output) =>
        scaled(losses.meanSquaredError(targets, output, sampleWeights(output.rank)));
    case 'meanAbsoluteError':
      return (targets, output) =>
        scaled(losses.absoluteDifference(targets, output, sampleWeights(output.rank)));
    case 'huber':
      return (targets, output) =>
        scaled(losses.huberLoss(targets, output, sampleWeights(output.rank), loss.delta));
    default:
      throw new Error(`TensorFlow.js has no loss ${loss.kind}`);
  }
}

/** Penalties are regularizers of the kernels in Keras. */
function regularizerOf({ regularizers }, penalties, name) {
  const penalty = penalties.find(({ match }) => match.includes(`${name}.weight`));
  if (!penalty) return {};
  const { l1 = 0, l2 = 0 } = penalty;
  return { kernelRegularizer: regularizers.l1l2({ l1, l2 }) };
}

/** Builds the functional model; returns it, and the names of the inputs that it reads. */
function build(tools, twin) {
  const { input, model, layers } = tools;
  const make = makers(layers);
  const values = {};
  for (const [name, shape] of Object.entries(twin.inputs)) values[name] = input({ shape, name });
  const made = new Map();
  const read = new Set();
  for (const { name, owner, layer, inputs } of twin.nodes) {
    let [first, ...others] = inputs.map((each) => values[each]);
    const hasLengths = (layer.layer ?? layer).lengths;
    if (hasLengths) {
      others.pop();
      first = layers.masking({ maskValue: 0 }).apply(first);
    }
    for (const each of hasLengths ? inputs.slice(0, -1) : inputs) read.add(each);
    if (!made.has(owner)) {
      const maker = make[layer.kind];
      if (!maker) throw new Error(`TensorFlow.js has no ${layer.kind}`);
      made.set(
        owner,
        maker(layer, first.shape.length, regularizerOf(tools, twin.penalties, owner)),
      );
    }
    let value = made.get(owner).apply(others.length > 0 ? [first, ...others] : first);
    if (Array.isArray(value)) value = layers.concatenate({ axis: -1 }).apply(value.slice(1));
    values[name] = value;
  }
  const names = Object.keys(twin.inputs).filter((name) => read.has(name));
  const outputs = Object.entries(twin.outputs).map(([name, node]) => {
    if (!twin.keras) return values[node];
    const [, activation] = KERAS_LOSSES[twin.losses[name].kind];
    return layers.activation({ activation }).apply(values[node]);
  });
  const built = model({ inputs: names.map((name) => values[name]), outputs });
  for (const [owner, layer] of made) {
    const node = twin.nodes.find(({ name }) => name === owner);
    const weights = toTensorFlow(node.layer, twin.weights[owner] ?? {});
    layer.setWeights(weights.map(({ data, shape }) => tools.tf.tensor(data, shape)));
  }
  return { built, names };
}

/** Returns the targets in the shape of the outputs: classes become one-hot rows. */
function targetsOf({ tf }, { data, shape }, loss, classes) {
  if (loss.kind !== 'crossEntropy') return tf.tensor(data, shape);
  const labels = Array.from(data, (label) => (label === loss.ignoreLabel ? 0 : label));
  return tf.cast(tf.oneHot(tf.tensor(labels, shape, 'int32'), classes), 'float32');
}

/** Takes a step; only `fit` takes class weights. */
async function trainStep(built, { x, y }, { keras, losses, batchSize }) {
  const { classWeights } = Object.values(losses)[0];
  if (!keras || !classWeights) return [await built.trainOnBatch(x, y)].flat()[0];
  const classWeight = { ...classWeights };
  const options = { batchSize, epochs: 1, shuffle: false, verbose: 0, classWeight };
  const { history } = await built.fit(x, y, options);
  return history.loss[0];
}

/**
 * Trains a twin.
 * @returns losses of all steps, and losses of all batches in evaluation mode after them
 */
export async function trainTensorFlow(tools, twin) {
  const { tf } = tools;
  const [optimizer, options] = twin.optimizer;
  if (!OPTIMIZERS[optimizer]) throw new Error(`TensorFlow.js has no ${optimizer}`);
  const { built, names } = build(tools, twin);
  let batch;
  const lossNames = Object.keys(twin.losses);
  const losses = lossNames.map((name) => {
    const loss = twin.losses[name];
    if (twin.keras) return KERAS_LOSSES[loss.kind][0];
    return lossOf(tools, loss, name, twin.lossWeights[name] ?? 1, () => batch);
  });
  built.compile({ optimizer: OPTIMIZERS[optimizer](tf.train, options), loss: losses });
  const batches = twin.batches.map(({ inputs, targets, sampleWeights }) => ({
    targets,
    sampleWeights,
    x: names.map((name) => tf.tensor(inputs[name].data, inputs[name].shape)),
    y: lossNames.map((name, i) =>
      targetsOf(tools, targets[name], twin.losses[name], built.outputs[i].shape.at(-1)),
    ),
  }));
  const { classWeights } = Object.values(twin.losses)[0];
  /** Returns losses of samples, or their mean. */
  const evaluate = (lossOfOutput, { y, targets }, index, output) => {
    const loss = lossOfOutput(y[index], output);
    if (!twin.keras || !classWeights) return loss;
    return tf.mul(
      loss,
      Array.from(targets[lossNames[index]].data, (label) => classWeights[label]),
    );
  };
  const trajectory = [];
  for (let step = 0; step < twin.steps; step++) {
    batch = batches[step % batches.length];
    trajectory.push(await trainStep(built, batch, twin));
  }
  const evaluations = batches.map((each) => {
    batch = each;
    return tf.tidy(() => {
      const outputs = [built.predict(each.x, { batchSize: twin.batchSize })].flat();
      let total = tf.scalar(0);
      for (const [i, output] of outputs.entries())
        total = tf.add(total, tf.mean(evaluate(built.lossFunctions[i], each, i, output)));
      for (const penalty of built.calculateLosses()) total = tf.add(total, penalty);
      return total.dataSync()[0];
    });
  });
  built.dispose();
  tf.disposeVariables();
  return { losses: trajectory, evaluations };
}
