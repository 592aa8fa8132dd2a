/**
 * The training programs of 65 public projects (their sources were read in November 2026) as data:
 * models, losses, optimizers, batch sizes and conventions. tests/adopters/run.js builds each and
 * trains a step.
 *
 * A program has variants, each with
 *   model      options of createModel; `loss: null` where the program has a loss of its own
 *   optimizer  its name and options, as createOptimizer takes them; null where nothing is optimized
 *   batch      samples of a step
 *   fill       how the inputs are filled: 'values' in [-1, 1] (default), or a vocabulary's size
 *   own        for a loss of its own: writes the gradients by the outputs, or trains all of it
 *   setUp      changes the new model, where weights do not begin at random
 */
import {
  add,
  apply,
  batchNorm,
  bidirectional,
  binaryCrossEntropy,
  concat,
  conv1d,
  conv2d,
  conv2dTranspose,
  crossEntropy,
  dense as denseLayer,
  depthwiseConv2d,
  dropout,
  elu,
  embedding,
  flatten,
  gelu,
  globalAvgPool,
  globalMaxPool,
  graph,
  gru,
  input,
  layerNorm,
  leakyRelu,
  lstm,
  maxout,
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
  sigmoid,
  simpleRnn,
  tanh,
} from 'adal-wasm/nn';

// Conventions of TensorFlow.js and Keras.
const GLOROT = { kernelInitializer: 'glorotUniform' };
const dense = (units, options = {}) => denseLayer(units, { ...GLOROT, ...options });
const conv = (filters, kernelSize, options = {}) =>
  conv2d(filters, { kernelSize, ...GLOROT, ...options });
const norm = () => batchNorm({ eps: 1e-3, momentum: 0.01, runningVariance: 'biased' });
const table = (rows, dim) =>
  embedding(rows, dim, { embeddingsInitializer: { kind: 'uniform', min: -0.05, max: 0.05 } });
const keras = { kernelInitializer: 'glorotUniform', recurrentInitializer: 'orthogonal' };
const adam = (lr = 1e-3) => ['adam', { lr, eps: 1e-7 }];
const sgd = (lr = 0.01, options = {}) => ['sgd', { lr, ...options }];
const rmsprop = (lr = 1e-3) => ['rmsprop', { lr, alpha: 0.9, eps: 1e-7, epsInSqrt: true }];
/** ConvNetJS's Adadelta, whose rate is 1. */
const adadelta = (options = {}) => ['adadelta', { lr: 1, rho: 0.95, eps: 1e-6, ...options }];

const CE = crossEntropy();
const BCE = binaryCrossEntropy();
const MSE = meanSquaredError();
const MAE = meanAbsoluteError();

const chain = (inputShape, layers, loss, optimizer, batch, more = {}) => ({
  model: { inputShape, layers: layers.flat(), loss, batchSize: batch },
  optimizer,
  batch,
  ...more,
});
const net = (outputs, loss, optimizer, batch, { model, ...more } = {}) => ({
  model: { ...graph(outputs), loss, batchSize: batch, ...model },
  optimizer,
  batch,
  ...more,
});
/** The gradient of a mean of squares that weighs the outputs. */
const squares = (weigh) => (model, count) => {
  for (const [name, outputs] of Object.entries(model.outputs)) {
    const gradient = model.outputGradients[name];
    const size = outputs.length / model.batchSize;
    for (let i = 0; i < count * size; i++)
      gradient[i] = (2 * weigh(i % size) * (outputs[i] - 0.5)) / (count * size);
  }
  model.backward();
};

/** Hidden layers of these sizes, each followed by an activation. */
const hidden = (sizes, activation) => sizes.flatMap((units) => [dense(units), activation()]);

/** MobileNet, version 1 (Howard et al. 2017), without its head. */
function mobileNet(x, alpha) {
  const unit = (value, layer) => value.apply(layer).apply(norm()).apply(relu6());
  const filters = (count) => Math.max(8, Math.floor(count * alpha));
  let value = unit(x, conv(filters(32), 3, { stride: 2, padding: 'same', useBias: false }));
  const blocks = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
  const strided = new Set([1, 3, 5, 11]);
  for (const [index, count] of blocks.entries()) {
    const stride = strided.has(index) ? 2 : 1;
    const depthwise = { kernelSize: 3, stride, padding: 'same', useBias: false, ...GLOROT };
    value = unit(value, depthwiseConv2d(depthwise));
    value = unit(value, conv(filters(count), 1, { useBias: false }));
  }
  return value;
}

/** MobileNet, version 2 (Sandler et al. 2018): inverted residuals with linear bottlenecks. */
function mobileNet2(x, alpha) {
  const filters = (count) => Math.max(8, 8 * Math.round((count * alpha) / 8));
  const expand = (value, count) =>
    value
      .apply(conv(count, 1, { useBias: false }))
      .apply(norm())
      .apply(relu6());
  let channels = filters(32);
  let value = x.apply(conv(channels, 3, { stride: 2, padding: 'same', useBias: false }));
  value = value.apply(norm()).apply(relu6());
  const groups = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  for (const [factor, count, times, firstStride] of groups) {
    for (let k = 0; k < times; k++) {
      const stride = k === 0 ? firstStride : 1;
      const before = value;
      const wide = factor > 1 ? expand(value, factor * channels) : value;
      const depthwise = { kernelSize: 3, stride, padding: 'same', useBias: false, ...GLOROT };
      const deep = wide.apply(depthwiseConv2d(depthwise)).apply(norm()).apply(relu6());
      value = deep.apply(conv(filters(count), 1, { useBias: false })).apply(norm());
      if (stride === 1 && channels === filters(count)) value = apply(add(), [before, value]);
      channels = filters(count);
    }
  }
  return expand(value, 1280);
}

/** A decoder-only transformer as GPT-2's. */
function gpt({ vocabulary, steps, width, heads, blocks }) {
  const project = (units) => dense(units, { kernelInitializer: { kind: 'normal', stddev: 0.02 } });
  let x = input('tokens', steps).apply(table(vocabulary, width)).apply(positionEmbedding());
  for (let k = 0; k < blocks; k++) {
    const attended = x.apply(layerNorm()).apply(multiHeadAttention({ heads, causal: true }));
    const y = apply(add(), [x, attended]);
    const inner = y.apply(layerNorm()).apply(project(4 * width));
    const mlp = inner.apply(gelu({ approximate: 'tanh' })).apply(project(width));
    x = apply(add(), [y, mlp]);
  }
  return x.apply(layerNorm()).apply(dense(vocabulary, { useBias: false }));
}

/** Luong's dot attention of a decoder over an encoder, as in the date conversion example. */
function dateConversion() {
  const [units, vocabulary] = [64, 35];
  const encoded = input('dates', 12).apply(table(vocabulary, units));
  const states = encoded.apply(lstm(units, { returnSequences: true, ...keras }));
  const last = encoded.apply(lstm(units, { returnState: true, ...keras }));
  const decoder = lstm(units, { returnSequences: true, initialState: true, ...keras });
  const decoded = apply(decoder, [input('so far', 10).apply(table(13, units)), last]);
  // Dot attention: one head whose projections are the identity, times √units for the query.
  const attention = multiHeadAttention({ heads: 1, useBias: false });
  const context = apply(attention, [decoded, states], 'dot');
  const both = apply(concat(), [context, decoded]).apply(dense(units)).apply(tanh());
  return net([both.apply(dense(13))], CE, adam(), 128, {
    model: { freeze: ['dot'] },
    fill: { dates: vocabulary, 'so far': 13 },
    setUp(model) {
      for (const part of ['query', 'key', 'value', 'output']) {
        const { data } = model.weights[`dot.${part}Weight`];
        data.fill(0);
        for (let k = 0; k < units; k++)
          data[k * (units + 1)] = part === 'query' ? Math.sqrt(units) : 1;
      }
    },
  });
}

/** Sequence to sequence with the encoder's state, by words or characters in one-hot rows. */
function translation() {
  const units = 256;
  const last = input('source', [16, 71]).apply(lstm(units, { returnState: true, ...keras }));
  const decoder = lstm(units, { returnSequences: true, initialState: true, ...keras });
  const decoded = apply(decoder, [input('target', [59, 94]), last]);
  return net([decoded.apply(dense(94))], CE, rmsprop(), 64);
}

/** Two models of a variational autoencoder; the sampling between them is the caller's. */
const variational = {
  async train({ runtime, createModel, createOptimizer }) {
    const [batchSize, latent] = [256, 2];
    const body = input('image', 784).apply(dense(512)).apply(relu());
    const heads = { mean: body.apply(dense(latent)), logVariance: body.apply(dense(latent)) };
    const encoder = await createModel(runtime, { ...graph(heads), loss: null, batchSize });
    const decoder = await createModel(runtime, {
      inputSize: latent,
      layers: [dense(512), relu(), dense(784), sigmoid()],
      loss: null,
      batchSize,
      inputGradients: true,
    });
    const parameters = {};
    for (const [part, { parameters: own }] of Object.entries({ encoder, decoder }))
      for (const [name, parameter] of Object.entries(own))
        parameters[`${part}/${name}`] = parameter;
    const optimizer = await createOptimizer('adam', parameters, { runtime });
    encoder.input.forEach((_, i, all) => {
      all[i] = (i % 7) / 7;
    });
    encoder.forward({ training: true });
    const { mean, logVariance } = encoder.outputs;
    const noise = mean.map((_, i) => Math.sin(12.9 * i));
    decoder.input.set(mean.map((value, i) => value + Math.exp(logVariance[i] / 2) * noise[i]));
    decoder.forward({ training: true });
    const gradient = decoder.outputGradients.output;
    for (let i = 0; i < gradient.length; i++)
      gradient[i] = (2 * (decoder.output[i] - encoder.input[i])) / batchSize;
    decoder.backward();
    const dz = decoder.inputGradients.input;
    const { mean: dMean, logVariance: dLog } = encoder.outputGradients;
    for (let i = 0; i < mean.length; i++) {
      const spread = Math.exp(logVariance[i] / 2);
      dMean[i] = dz[i] + mean[i] / batchSize;
      dLog[i] = dz[i] * 0.5 * spread * noise[i] + (0.5 * (spread ** 2 - 1)) / batchSize;
    }
    encoder.backward();
    return optimizer.step();
  },
};

/** A conditional GAN with an auxiliary classifier: generator and discriminator, a step of each. */
const acgan = {
  async train({ runtime, createModel, createOptimizer }) {
    const batchSize = 100;
    const transpose = (filters, stride) =>
      conv2dTranspose(filters, { kernelSize: 5, stride, padding: 'same', ...GLOROT });
    const label = input('label', 1).apply(embedding(10, 100)).apply(flatten());
    const seed = apply(multiply(), [input('noise', 100), label]);
    const start = seed
      .apply(dense(3 * 3 * 384))
      .apply(relu())
      .apply(reshape([3, 3, 384]));
    const wide = start.apply(conv2dTranspose(192, { kernelSize: 5, ...GLOROT }));
    const middle = wide.apply(relu()).apply(norm()).apply(transpose(96, 2));
    const image = middle.apply(relu()).apply(norm()).apply(transpose(1, 2)).apply(tanh());
    const generator = await createModel(runtime, { ...graph({ image }), loss: null, batchSize });
    let x = input('image', [28, 28, 1]);
    for (const [filters, stride] of [
      [32, 2],
      [64, 1],
      [128, 2],
      [256, 1],
    ]) {
      x = x.apply(conv(filters, 3, { padding: 'same', stride })).apply(leakyRelu(0.2));
      x = x.apply(dropout(0.3));
    }
    const features = x.apply(flatten());
    const discriminator = await createModel(runtime, {
      ...graph({ real: features.apply(dense(1)), digit: features.apply(dense(10)) }),
      loss: { real: BCE, digit: CE },
      batchSize,
      inputGradients: true,
    });
    const options = { lr: 2e-4, betas: [0.5, 0.999], eps: 1e-7, runtime };
    const d = await createOptimizer('adam', discriminator.parameters, options);
    const g = await createOptimizer('adam', generator.parameters, options);
    generator.inputs.noise.forEach((_, i, all) => {
      all[i] = Math.sin(i);
    });
    generator.inputs.label.forEach((_, i, all) => {
      all[i] = i % 10;
    });
    generator.forward({ training: true });
    discriminator.input.set(generator.outputs.image);
    const judge = (real) => {
      discriminator.outputTargets.real.fill(real);
      discriminator.outputTargets.digit.set(generator.inputs.label);
      return discriminator.computeGradients(batchSize);
    };
    judge(0);
    d.step();
    judge(1);
    generator.outputGradients.image.set(discriminator.inputGradients.image);
    generator.backward();
    return g.step();
  },
};

/** Four scalars and a polynomial: parameters of the optimizer's own, and gradients by hand. */
const polynomial = {
  async train({ runtime, createOptimizer }) {
    const scalars = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, [0.1]]));
    const optimizer = await createOptimizer(
      'sgd',
      Object.fromEntries(Object.entries(scalars).map(([k, v]) => [k, Float32Array.from(v)])),
      { lr: 0.5, runtime },
    );
    const { params } = optimizer;
    const gradients = { a: [0], b: [0], c: [0], d: [0] };
    for (let i = 0; i < 100; i++) {
      const x = i / 50 - 1;
      const powers = { a: x ** 3, b: x ** 2, c: x, d: 1 };
      const y = Object.entries(powers).reduce((sum, [k, p]) => sum + params[k][0] * p, 0);
      for (const [k, p] of Object.entries(powers))
        gradients[k][0] += (2 * (y - (x ** 3 - 0.5 * x)) * p) / 100;
    }
    return optimizer.step(
      Object.fromEntries(Object.entries(gradients).map(([k, v]) => [k, Float32Array.from(v)])),
    );
  },
};

const digits = [28, 28, 1];
const mnistConvNet = [
  conv(16, 3),
  relu(),
  maxPool2d(2),
  conv(32, 3),
  relu(),
  maxPool2d(2),
  conv(32, 3),
  relu(),
  flatten(),
  dense(64),
  relu(),
  dense(10),
];
const mnistNode = [
  conv(32, 3),
  relu(),
  conv(32, 3),
  relu(),
  maxPool2d(2),
  conv(64, 3),
  relu(),
  conv(64, 3),
  relu(),
  maxPool2d(2),
  flatten(),
  dropout(0.25),
  dense(512),
  relu(),
  dropout(0.5),
  dense(10),
];
const rows = (steps = 240) => [steps, 14];
const recurrents = (units, options = {}) =>
  [simpleRnn, gru, lstm].map((layer) => layer(units, { ...keras, ...options }));

/** [number, name, variants] */
export const PROGRAMS = [
  [
    1,
    'ml-trainer: gestures',
    [chain([24], [norm(), dense(16), relu(), dense(4)], CE, sgd(0.1), 16)],
  ],
  [
    2,
    'DISCO: mnist',
    [
      chain(
        [28, 28, 3],
        [
          conv(8, 5),
          relu(),
          conv(16, 5),
          relu(),
          maxPool2d(2),
          dropout(0.25),
          flatten(),
          dense(32),
          relu(),
          dropout(0.25),
          dense(10),
        ],
        CE,
        adam(),
        64,
      ),
    ],
  ],
  [3, 'DISCO: titanic', [chain([5], [hidden([124, 64, 32], relu), dense(1)], BCE, adam(), 30)]],
  [
    4,
    'DISCO: cifar10, MobileNet',
    [
      net(
        [
          mobileNet(input('image', [224, 224, 3]), 0.25)
            .apply(globalAvgPool())
            .apply(dense(10)),
        ],
        CE,
        sgd(),
        10,
      ),
    ],
  ],
  [
    5,
    'DISCO: lus_covid',
    [
      chain(
        [100, 100, 3],
        [conv(8, 5), relu(), maxPool2d(2), conv(16, 5), relu(), maxPool2d(2), flatten(), dense(2)],
        CE,
        sgd(),
        5,
      ),
    ],
  ],
  [
    6,
    'DISCO: simple_face, MobileNetV2',
    [
      net(
        [
          mobileNet2(input('image', [200, 200, 3]), 0.35)
            .apply(globalAvgPool())
            .apply(dense(2)),
        ],
        CE,
        sgd(0.001),
        10,
      ),
    ],
  ],
  [
    7,
    'DISCO: wikitext, GPT-nano',
    [
      net(
        [gpt({ vocabulary: 50_257, steps: 128, width: 48, heads: 3, blocks: 3 })],
        CE,
        ['adamw', { lr: 1e-3, weightDecay: 1e-3, clipGradNorm: 1 }],
        1,
        { fill: 50_257 },
      ),
    ],
  ],
  [8, 'DISCO: custom task', [chain([1], [hidden([124, 32], relu), dense(1)], BCE, rmsprop(), 30)]],
  [
    9,
    'Teachable Machine: image head',
    [
      chain(
        [1280],
        [
          denseLayer(100, { kernelInitializer: 'varianceScaling' }),
          relu(),
          dense(3, { useBias: false, kernelInitializer: 'varianceScaling' }),
        ],
        CE,
        adam(),
        16,
      ),
    ],
  ],
  [
    10,
    'Teachable Machine: pose head',
    [
      chain(
        [14_739],
        [
          denseLayer(100, { kernelInitializer: 'varianceScaling' }),
          relu(),
          dropout(0.5),
          dense(3, { useBias: false, kernelInitializer: 'varianceScaling' }),
        ],
        CE,
        rmsprop(),
        16,
      ),
    ],
  ],
  [11, 'ml5: classification', [chain([4], [hidden([16], relu), dense(3)], CE, sgd(0.2), 32)]],
  [
    12,
    'ml5: regression',
    [chain([4], [hidden([16], relu), dense(2), sigmoid()], MSE, adam(0.2), 32)],
  ],
  [
    13,
    'ml5: image classification',
    [
      chain(
        [64, 64, 4],
        [
          conv(8, 5, { kernelInitializer: 'varianceScaling' }),
          relu(),
          maxPool2d(2),
          conv(16, 5, { kernelInitializer: 'varianceScaling' }),
          relu(),
          maxPool2d(2),
          flatten(),
          dense(3, { kernelInitializer: 'varianceScaling' }),
        ],
        CE,
        sgd(0.02),
        32,
      ),
    ],
  ],
  [
    14,
    'ml5: own layers',
    [
      chain(
        [6],
        [dense(8), elu(), norm(), dropout(0.1), dense(8), tanh(), dense(3)],
        CE,
        adam(),
        32,
      ),
      chain([6], [dense(8), leakyRelu(0.3), layerNorm(), dense(1)], MSE, sgd(), 32),
    ],
  ],
  [15, 'ml5: neuroevolution', [chain([5], [hidden([16], relu), dense(2)], null, null, 1)]],
  [16, 'tfjs-examples: getting-started', [chain([1], [dense(1)], MSE, sgd(), 6)]],
  [
    17,
    'tfjs-examples: polynomial-regression',
    [chain([4], [dense(1, { useBias: false, kernelInitializer: 'zeros' })], MSE, sgd(), 25)],
  ],
  [18, 'tfjs-examples: polynomial-regression-core', [polynomial]],
  [19, 'tfjs-examples: iris', [chain([4], [hidden([10], sigmoid), dense(3)], CE, adam(0.01), 32)]],
  [
    20,
    'tfjs-examples: iris-fitDataset',
    [chain([4], [hidden([10], sigmoid), dense(3)], CE, adam(0.01), 32)],
  ],
  [
    21,
    'tfjs-examples: boston-housing',
    [[], [50], [50, 50]].map((sizes) =>
      chain([12], [hidden(sizes, sigmoid), dense(1)], MSE, sgd(), 40),
    ),
  ],
  [
    22,
    'tfjs-examples: abalone-node',
    [chain([9], [hidden([50, 50], sigmoid), dense(1)], MSE, sgd(), 500)],
  ],
  [
    23,
    'tfjs-examples: website-phishing',
    [chain([30], [hidden([100, 100], sigmoid), dense(1)], BCE, adam(), 350)],
  ],
  [
    24,
    'tfjs-examples: baseball, pitch type',
    [chain([8], [hidden([250, 175, 150], relu), dense(7)], CE, adam(), 100)],
  ],
  [
    25,
    'tfjs-examples: baseball, strike zone',
    [chain([5], [hidden([20, 10], relu), dense(2)], CE, adam(), 50)],
  ],
  [
    26,
    'tfjs-examples: data-generator',
    [chain([13], [hidden([20, 20], relu), dense(1)], BCE, rmsprop(), 50)],
  ],
  [27, 'tfjs-examples: mnist ConvNet', [chain(digits, mnistConvNet, CE, rmsprop(), 320)]],
  [
    28,
    'tfjs-examples: mnist DenseNet',
    [chain(digits, [flatten(), dense(42), relu(), dense(10)], CE, rmsprop(), 320)],
  ],
  [
    29,
    'tfjs-examples: mnist-core',
    [
      chain(
        digits,
        [
          conv(8, 5, { padding: 'same', useBias: false }),
          relu(),
          maxPool2d(2),
          conv(16, 5, { padding: 'same', useBias: false }),
          relu(),
          maxPool2d(2),
          flatten(),
          dense(10),
        ],
        CE,
        sgd(0.1),
        64,
      ),
    ],
  ],
  [
    30,
    'tfjs-examples: mnist-node, quantization mnist',
    [chain(digits, mnistNode, CE, rmsprop(), 128)],
  ],
  [
    31,
    'tfjs-examples: quantization, fashion-mnist',
    [
      chain(
        digits,
        [
          norm(),
          conv(64, 4, { padding: 'same' }),
          relu(),
          maxPool2d(2),
          dropout(0.1),
          conv(64, 4),
          relu(),
          maxPool2d(2),
          dropout(0.3),
          flatten(),
          dense(256),
          relu(),
          dropout(0.5),
          dense(64),
          relu(),
          norm(),
          dense(10),
        ],
        CE,
        adam(),
        128,
      ),
    ],
  ],
  [
    32,
    'tfjs-examples: quantization, housing',
    [
      chain(
        [8],
        [
          dense(80),
          relu(),
          dropout(0.1),
          dense(120),
          relu(),
          dropout(0.1),
          dense(20),
          relu(),
          dropout(0.1),
          dense(10),
          relu(),
          dense(1),
        ],
        MAE,
        adam(),
        128,
      ),
    ],
  ],
  [
    33,
    'tfjs-examples: mnist-transfer-cnn',
    [
      chain(
        digits,
        [
          conv(32, 3),
          relu(),
          conv(32, 3),
          relu(),
          maxPool2d(2),
          dropout(0.25),
          flatten(),
          dense(128),
          relu(),
          dropout(0.5),
          dense(5),
        ],
        CE,
        adam(0.01),
        128,
      ),
    ].map((each) => ({ ...each, model: { ...each.model, freeze: ['conv1', 'conv2'] } })),
  ],
  [
    34,
    'tfjs-examples: webcam-transfer-learning',
    [
      chain(
        [7, 7, 256],
        [
          flatten(),
          dense(100, { kernelInitializer: 'varianceScaling' }),
          relu(),
          dense(4, { useBias: false, kernelInitializer: 'varianceScaling' }),
        ],
        CE,
        adam(1e-4),
        24,
      ),
    ],
  ],
  [
    35,
    'tfjs-examples: simple-object-detection',
    [
      net(
        [
          mobileNet(input('image', [224, 224, 3]), 0.25)
            .apply(flatten())
            .apply(dense(200))
            .apply(relu())
            .apply(dense(5)),
        ],
        null,
        rmsprop(5e-3),
        4,
        { own: squares((k) => (k === 0 ? 224 : 1)) },
      ),
    ],
  ],
  [
    36,
    'tfjs-examples: sentiment, multihot',
    [chain([10_000], [hidden([16, 16], relu), dense(1)], BCE, adam(), 128)],
  ],
  [
    37,
    'tfjs-examples: sentiment, flatten',
    [chain([100], [table(10_000, 128), flatten(), dense(1)], BCE, adam(), 128, { fill: 10_000 })],
  ],
  [
    38,
    'tfjs-examples: sentiment, cnn',
    [
      chain(
        [100],
        [
          table(10_000, 128),
          dropout(0.5),
          conv1d(250, { kernelSize: 5, ...GLOROT }),
          relu(),
          globalMaxPool(),
          dense(250),
          relu(),
          dense(1),
        ],
        BCE,
        adam(),
        128,
        { fill: 10_000 },
      ),
    ],
  ],
  [
    39,
    'tfjs-examples: sentiment, RNN, LSTM, BiLSTM',
    [simpleRnn(32, keras), lstm(32, keras), bidirectional(lstm(32, keras))].map((layer) =>
      chain([100], [table(10_000, 32), layer, dense(1)], BCE, adam(), 128, { fill: 10_000 }),
    ),
  ],
  [40, 'tfjs-examples: intent classifier', [chain([512], [dense(3)], CE, adam(), 32)]],
  [
    41,
    'tfjs-examples: intent tagger',
    [
      [lstm(50, { returnSequences: true, ...keras })],
      [bidirectional(lstm(50, { returnSequences: true, ...keras }))],
      [dense(50), relu()],
    ].map((layers) => chain([30, 512], [layers, dense(3)], CE, adam(), 32)),
  ],
  [
    42,
    'tfjs-examples: addition-rnn',
    recurrents(128).map((layer, k) =>
      chain(
        [7, 12],
        [layer, repeatVector(4), recurrents(128, { returnSequences: true })[k], dense(12)],
        CE,
        adam(),
        128,
      ),
    ),
  ],
  [
    43,
    'tfjs-examples: lstm-text-generation',
    [
      chain([40, 71], [lstm(128, keras), dense(71)], CE, rmsprop(0.01), 128),
      chain(
        [40, 71],
        [lstm(128, { returnSequences: true, ...keras }), lstm(128, keras), dense(71)],
        CE,
        rmsprop(0.01),
        128,
      ),
    ],
  ],
  [
    44,
    'tfjs-examples: jena-weather, linear, MLP, dropout',
    [[], [dense(32), relu()], [dense(32), relu(), dropout(0.25)]].map((layers) =>
      chain(rows(), [flatten(), layers, dense(1)], MAE, rmsprop(), 128),
    ),
  ],
  [
    45,
    'tfjs-examples: jena-weather, MLP with L2',
    [chain(rows(), [flatten(), dense(32), relu(), dense(1)], MAE, rmsprop(), 128)].map((each) => ({
      ...each,
      model: { ...each.model, penalties: [{ match: /^dense1\.weight$/, l2: 0.001 }] },
    })),
  ],
  [
    46,
    'tfjs-examples: jena-weather, RNN, GRU',
    [simpleRnn(32, keras), gru(32, keras)].map((layer) =>
      chain(rows(), [layer, dense(1)], MAE, rmsprop(), 128),
    ),
  ],
  [47, 'tfjs-examples: date-conversion-attention', [dateConversion()]],
  [48, 'tfjs-examples: translation', [translation()]],
  [
    49,
    'tfjs-examples: cart-pole',
    [chain([4], [hidden([4], elu), dense(1)], null, adam(0.05), 1, { own: squares(() => 1) })],
  ],
  [
    50,
    'tfjs-examples: snake-dqn',
    [
      chain(
        [9, 9, 2],
        [
          conv(128, 3),
          relu(),
          norm(),
          conv(256, 3),
          relu(),
          norm(),
          conv(256, 3),
          relu(),
          flatten(),
          dense(100),
          relu(),
          dropout(0.25),
          dense(3),
        ],
        null,
        adam(),
        64,
        { own: squares((k) => (k === 1 ? 1 : 0)) },
      ),
    ],
  ],
  [51, 'tfjs-examples: fashion-mnist-vae', [variational]],
  [52, 'tfjs-examples: mnist-acgan', [acgan]],
  [
    53,
    'ConvNetJS: classify2d',
    [chain([2], [hidden([6, 2], tanh), dense(2)], CE, sgd(0.01, { momentum: 0.1, l2: 0.001 }), 10)],
  ],
  [
    54,
    'ConvNetJS: regression',
    [
      chain(
        [1],
        [dense(20), relu(), dense(20), sigmoid(), dense(1)],
        MSE,
        sgd(0.01, { l2: 1e-6 }),
        1,
      ),
    ],
  ],
  [
    55,
    'ConvNetJS: image regression',
    [
      chain(
        [2],
        [hidden([20, 20, 20, 20, 20, 20, 20], relu), dense(3)],
        MSE,
        sgd(0.01, { momentum: 0.9 }),
        5,
      ),
    ],
  ],
  [
    56,
    'ConvNetJS: mnist',
    [
      chain(
        [24, 24, 1],
        [
          conv(8, 5, { padding: 2 }),
          relu(),
          maxPool2d(2),
          conv(16, 5, { padding: 2 }),
          relu(),
          maxPool2d(3),
          flatten(),
          dense(10),
        ],
        CE,
        adadelta({ l2: 0.001 }),
        20,
      ),
    ],
  ],
  [
    57,
    'ConvNetJS: cifar10',
    [
      chain(
        [32, 32, 3],
        [16, 20, 20]
          .flatMap((filters) => [conv(filters, 5, { padding: 2 }), relu(), maxPool2d(2)])
          .concat([flatten(), dense(10)]),
        CE,
        adadelta({ l2: 1e-4 }),
        4,
      ),
    ],
  ],
  [
    58,
    'ConvNetJS: autoencoder',
    [
      chain(
        [784],
        [hidden([50, 50], tanh), dense(2), dense(50), tanh(), dense(50), tanh(), dense(784)],
        MSE,
        adadelta(),
        50,
      ),
    ].map((each) => ({
      ...each,
      model: { ...each.model, penalties: [{ match: /weight$/, l1: 1e-4, l2: 1e-4 }] },
    })),
  ],
  [
    59,
    'ConvNetJS: trainers',
    [
      sgd(),
      sgd(0.01, { momentum: 0.9 }),
      sgd(0.01, { momentum: 0.9, nesterov: true }),
      ['adagrad', {}],
      adadelta(),
      ['rmsprop', {}],
      adam(),
    ].map((optimizer) => chain([576], [hidden([20, 20], relu), dense(10)], CE, optimizer, 8)),
  ],
  [
    60,
    'ConvNetJS: rldemo',
    [
      chain([32], [hidden([50, 50], relu), dense(5)], null, sgd(0.001, { l2: 0.01 }), 64, {
        own: squares((k) => (k === 2 ? 1 : 0)),
      }),
    ],
  ],
  [
    61,
    'ConvNetJS: MagicNet',
    [[dense(20), tanh()], [dense(20), relu()], [maxout(10, 2)]].map((layers) =>
      chain([4], [layers, dropout(0.2), dense(3)], CE, adadelta({ l2: 1e-3 }), 10),
    ),
  ],
  [
    62,
    'brain.js: NeuralNetwork',
    [chain([6], [dense(3), sigmoid(), dense(2), sigmoid()], MSE, sgd(0.3, { momentum: 0.1 }), 1)],
  ],
  [
    63,
    'brain.js: AE',
    [
      chain(
        [9],
        [hidden([5, 2, 5], sigmoid), dense(9), sigmoid()],
        MSE,
        sgd(0.3, { momentum: 0.1 }),
        1,
      ),
    ],
  ],
  [
    64,
    'brain.js: RNN, GRU, LSTM',
    recurrents(20, { returnSequences: true }).map((layer, k) =>
      chain(
        [20],
        [table(40, 20), layer, recurrents(20, { returnSequences: true })[k], dense(40)],
        CE,
        ['rmsprop', { lr: 0.01, alpha: 0.999, clipGradValue: 5, l2: 1e-6 }],
        1,
        { fill: 40 },
      ),
    ),
  ],
  [
    65,
    'brain.js: LSTMTimeStep and kin',
    recurrents(10, { returnSequences: true }).map((layer) =>
      chain(
        [8, 1],
        [layer, dense(1)],
        MSE,
        ['rmsprop', { lr: 0.01, alpha: 0.999, clipGradValue: 5, l2: 1e-6 }],
        1,
      ),
    ),
  ],
];
