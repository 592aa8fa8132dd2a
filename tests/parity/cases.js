/**
 * What is compared: models as plain data with an optimizer. Fields of a case:
 *
 *   model         options of `createModel`; an output has a loss
 *   optimizer     name and options; SGD with momentum if left out
 *   only          the one peer that has everything in it, if not both
 *   fill          how inputs are drawn, see ours.js
 *   sampleWeights whether samples have weights
 *   keras         TensorFlow.js computes the loss as Keras does, on probabilities
 *   torchSince    the first version of PyTorch that computes this rightly
 *   steps, batchSize, batches
 *
 * A loss that moves by less than a thousandth over its steps shows nothing, so run.js refuses it.
 */
import * as nn from 'adal-wasm/nn';

const {
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
  crossEntropy,
  dense,
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
  huber,
  input,
  layerNorm,
  leakyRelu,
  lstm,
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
} = nn;

const MOMENTUM = ['sgd', { lr: 0.02, momentum: 0.9 }];

const row = (layers, more = {}) => ({ inputShape: [5], layers, ...more });
const sequence = (layers, more = {}) => ({ inputShape: [6, 4], layers, ...more });
const image = (layers, more = {}) => ({ inputShape: [6, 7, 3], layers, ...more });
/** A table of 6 rows, indexed at 5 steps. */
const words = (layers, more = {}) => ({
  model: { inputShape: [5], layers: [embedding(6, 4), ...layers], ...more },
  fill: { input: 6 },
});

const activations = Object.fromEntries(
  [
    relu(),
    leakyRelu(),
    leakyRelu(0.3),
    tanh(),
    sigmoid(),
    silu(),
    elu(),
    elu(0.5),
    relu6(),
    gelu(),
    gelu({ approximate: 'tanh' }),
    softmax(),
  ].map((layer) => {
    const { kind, ...options } = layer;
    const name = Object.keys(options).length > 0 ? `${kind} ${JSON.stringify(options)}` : kind;
    // Wide enough for the corners of relu6.
    // TensorFlow.js refuses other values of alpha.
    const only = layer.alpha === 0.5 ? { only: 'torch' } : {};
    return [name, { model: row([dense(9), layer, dense(8), layer, dense(3)]), ...only }];
  }),
);

const layers = {
  'dense without bias': { model: row([dense(9, { useBias: false }), tanh(), dense(3)]) },
  'dense at every step, flatten': {
    model: sequence([dense(5), tanh(), dense(4), flatten(), dense(3)]),
  },
  maxout: { model: row([maxout(5, 3), maxout(4, 2, { useBias: false }), dense(3)]), only: 'torch' },
  conv2d: {
    model: image([
      conv2d(5, { kernelSize: 3 }),
      tanh(),
      conv2d(4, { kernelSize: [2, 3], stride: [1, 2], useBias: false }),
      flatten(),
      dense(3),
    ]),
  },
  "conv2d, 'same', even kernels, stride": {
    model: image([
      conv2d(5, { kernelSize: [2, 3], padding: 'same' }),
      relu(),
      conv2d(4, { kernelSize: [4, 3], padding: 'same', stride: [2, 3] }),
      flatten(),
      dense(3),
    ]),
  },
  'conv2d, dilation': {
    model: image([
      conv2d(5, { kernelSize: [2, 3], padding: 'same', dilation: 2 }),
      tanh(),
      conv2d(4, { kernelSize: 2, dilation: [3, 2] }),
      globalAvgPool(),
      dense(3),
    ]),
    only: 'torch', // TensorFlow.js has no gradient of dilated convolutions.
  },
  'conv2d, padding by numbers, dilation with stride': {
    model: image([
      conv2d(5, { kernelSize: 3, padding: [2, 1], stride: 2, dilation: [2, 1] }),
      tanh(),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  conv1d: {
    model: sequence([
      conv1d(5, { kernelSize: 3, padding: 'same' }),
      tanh(),
      conv1d(4, { kernelSize: 2, stride: 2, useBias: false }),
      globalMaxPool(),
      dense(3),
    ]),
  },
  'conv1d, causal': {
    model: sequence([
      conv1d(5, { kernelSize: 3, padding: 'causal' }),
      tanh(),
      conv1d(5, { kernelSize: 2, padding: 'causal', dilation: 2 }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  depthwiseConv2d: {
    model: image([
      depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
      relu6(),
      depthwiseConv2d({ kernelSize: 2, stride: 2, useBias: false }),
      flatten(),
      dense(3),
    ]),
  },
  separableConv2d: {
    model: image([
      separableConv2d(5, { kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
      tanh(),
      separableConv2d(4, { kernelSize: 2, stride: 2, useBias: false }),
      flatten(),
      dense(3),
    ]),
  },
  "conv2dTranspose, 'same'": {
    model: image([
      conv2dTranspose(5, { kernelSize: 3, stride: 2, padding: 'same' }),
      tanh(),
      conv2dTranspose(4, { kernelSize: [2, 3], padding: 'same', useBias: false }),
      globalAvgPool(),
      dense(3),
    ]),
  },
  "conv2dTranspose, 'valid'": {
    model: image([
      conv2dTranspose(5, { kernelSize: [2, 3], stride: [2, 1] }),
      tanh(),
      globalAvgPool(),
      dense(3),
    ]),
  },
  'conv2dTranspose, padding, output padding, dilation': {
    model: image([
      conv2dTranspose(5, {
        kernelSize: 3,
        stride: [2, 3],
        padding: [0, 1],
        outputPadding: [1, 0],
        dilation: [1, 2],
      }),
      tanh(),
      globalAvgPool(),
      dense(3),
    ]),
    only: 'torch',
  },
  'maxPool2d, avgPool2d': {
    model: image([
      conv2d(5, { kernelSize: 2 }),
      maxPool2d(2, { stride: 1 }),
      conv2d(5, { kernelSize: 1 }),
      avgPool2d([2, 3]),
      flatten(),
      dense(3),
    ]),
  },
  "maxPool2d, 'same'": {
    model: image([
      conv2d(5, { kernelSize: 1 }),
      maxPool2d(3, { stride: 2, padding: 'same' }),
      conv2d(5, { kernelSize: 1 }),
      flatten(),
      dense(3),
    ]),
  },
  "maxPool2d, avgPool2d, 'same'": {
    model: image([
      conv2d(5, { kernelSize: 1 }),
      maxPool2d(3, { stride: 2, padding: 'same' }),
      conv2d(5, { kernelSize: 1 }),
      avgPool2d(2, { padding: 'same' }),
      flatten(),
      dense(3),
    ]),
    // TensorFlow.js's gradient of averages with padding is not that of its averages: it divides by
    // the whole window, its forward pass by the pixels of the image.
    only: 'torch',
  },
  'maxPool2d, avgPool2d, padding by numbers': {
    model: image([
      conv2d(5, { kernelSize: 1 }),
      maxPool2d(3, { stride: 2, padding: [1, 0] }),
      avgPool2d(3, { stride: 1, padding: 1 }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'maxPool1d, avgPool1d': {
    model: sequence([
      dense(5),
      maxPool1d(2, { stride: 1, padding: 'same' }),
      dense(4),
      avgPool1d(2),
      flatten(),
      dense(3),
    ]),
  },
  'globalAvgPool, globalMaxPool of images': {
    model: {
      ...graph([
        apply(concat(), [
          input('image', [4, 5, 3])
            .apply(conv2d(5, { kernelSize: 2 }), 'conv')
            .apply(globalMaxPool()),
          input('other', [4, 5, 3])
            .apply(conv2d(5, { kernelSize: 2 }), 'conv2')
            .apply(globalAvgPool()),
        ]).apply(dense(3), 'logits'),
      ]),
      loss: { logits: crossEntropy() },
    },
  },
  'globalAvgPool of sequences': { model: sequence([dense(5), tanh(), globalAvgPool(), dense(3)]) },
  embedding: words([dense(5), tanh(), flatten(), dense(3)]),
  'embedding, padding index': {
    ...words([tanh(), flatten(), dense(3)]),
    model: { inputShape: [5], layers: [embedding(6, 4, { paddingIndex: 2 }), flatten(), dense(3)] },
    only: 'torch',
  },
  'positionEmbedding, learnt': {
    ...words([positionEmbedding({ maxSteps: 7 }), tanh(), flatten(), dense(3)]),
    only: 'torch',
  },
  'positionEmbedding, sinusoidal': {
    ...words([positionEmbedding({ encoding: 'sinusoidal' }), tanh(), flatten(), dense(3)]),
    only: 'torch',
  },
  multiHeadAttention: {
    model: sequence([multiHeadAttention({ heads: 2 }), flatten(), dense(3)]),
    only: 'torch',
  },
  'multiHeadAttention, causal, no bias': {
    model: sequence([
      multiHeadAttention({ heads: 4, causal: true, useBias: false }),
      multiHeadAttention({ heads: 1, causal: true, useBias: false }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'multiHeadAttention, query and value, padding mask': {
    model: graph([
      apply(multiHeadAttention({ heads: 2, paddingMask: true }), [
        input('query', [3, 4]),
        input('value', [6, 4]),
        input('mask', [6]),
      ])
        .apply(flatten())
        .apply(dense(3)),
    ]),
    fill: { mask: 'mask' },
    only: 'torch',
  },
  'multiHeadAttention, query, value and key, numbers of keys': {
    model: graph([
      apply(multiHeadAttention({ heads: 2, paddingMask: true }), [
        input('query', [3, 4]),
        input('value', [6, 4]),
        input('key', [6, 4]),
        input('count', 1),
      ])
        .apply(flatten())
        .apply(dense(3)),
    ]),
    fill: { count: 'lengths' },
    only: 'torch',
  },
  'a transformer block': {
    model: (() => {
      const x = input('words', 5).apply(embedding(6, 8)).apply(positionEmbedding());
      const attended = x.apply(layerNorm()).apply(multiHeadAttention({ heads: 2, causal: true }));
      const y = apply(add(), [x, attended]);
      const inner = y.apply(layerNorm()).apply(dense(16)).apply(gelu()).apply(dense(8));
      return graph([apply(add(), [y, inner]).apply(layerNorm()).apply(dense(6))]);
    })(),
    fill: { words: 6 },
    only: 'torch',
  },
  upSampling2d: {
    model: image([
      conv2d(4, { kernelSize: 2 }),
      upSampling2d([2, 3]),
      conv2d(4, { kernelSize: 3, stride: 2 }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'upSampling2d, a batch of one': {
    model: image([
      conv2d(4, { kernelSize: 2 }),
      upSampling2d([2, 3]),
      conv2d(4, { kernelSize: 3, stride: 2 }),
      flatten(),
      dense(3),
    ]),
    // The cpu backend of TensorFlow.js 4.22 mixes the gradients of samples in larger ones. Four
    // samples are learnt by heart in a few steps, and rounding is all of a loss near 0: a low rate.
    batchSize: 1,
    optimizer: ['sgd', { lr: 0.002 }],
  },
  'upSampling2d, bilinear': {
    model: image([
      conv2d(4, { kernelSize: 2 }),
      upSampling2d([2, 3], { interpolation: 'bilinear' }),
      conv2d(4, { kernelSize: 3, stride: 2 }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'upSampling1d, slice': {
    model: sequence([dense(4), upSampling1d(3), slice(2, -3), flatten(), dense(3)]),
    only: 'torch',
  },
  'reshape, repeatVector': {
    model: row([
      dense(4),
      repeatVector(3),
      dense(4),
      tanh(),
      reshape([2, 3, 2]),
      conv2d(3, { kernelSize: 2 }),
      flatten(),
      dense(3),
    ]),
  },
  batchNorm: {
    model: image([
      batchNorm(),
      conv2d(5, { kernelSize: 2 }),
      batchNorm({ eps: 1e-3, momentum: 0.3 }),
      relu(),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'batchNorm, biased running variance': {
    model: row([
      batchNorm({ runningVariance: 'biased' }),
      dense(9),
      batchNorm({ runningVariance: 'biased', eps: 1e-3, momentum: 0.01 }),
      relu(),
      dense(3),
    ]),
    only: 'tfjs',
  },
  layerNorm: {
    model: sequence([dense(9), layerNorm(), tanh(), layerNorm({ eps: 1e-3 }), flatten(), dense(3)]),
  },
  'dropout of rate 0': { model: row([dense(9), dropout(0), tanh(), dense(3)]) },
  'simpleRnn, all steps, then the last': {
    model: sequence([simpleRnn(5, { returnSequences: true }), simpleRnn(4), dense(3)]),
  },
  'simpleRnn with ReLU, backwards, no bias': {
    model: sequence([
      simpleRnn(6, { activation: 'relu', goBackwards: true, useBias: false }),
      dense(3),
    ]),
  },
  'lstm, all steps, then the last': {
    model: sequence([lstm(5, { returnSequences: true }), lstm(4), dense(3)]),
  },
  'lstm, no bias, its states': {
    model: sequence([lstm(5, { useBias: false, returnState: true }), dense(3)]),
  },
  'lstm, gru, backwards over all steps': {
    model: sequence([
      lstm(5, { returnSequences: true, goBackwards: true }),
      gru(5, { returnSequences: true, goBackwards: true }),
      flatten(),
      dense(3),
    ]),
    only: 'torch',
  },
  'lstm from a state, its states after all steps': {
    model: graph([
      apply(lstm(5, { initialState: true, returnState: true, returnSequences: true }), [
        input('x', [6, 4]),
        input('state', 10),
      ])
        .apply(flatten())
        .apply(dense(3)),
    ]),
    only: 'torch',
  },
  gru: {
    model: sequence([gru(5, { returnSequences: true }), gru(4, { useBias: false }), dense(3)]),
    only: 'torch',
  },
  'gru from a state': {
    model: graph([
      apply(gru(5, { initialState: true, returnState: true }), [
        input('x', [6, 4]),
        input('h', 5),
      ]).apply(dense(3)),
    ]),
    only: 'torch',
  },
  'gru that resets before the product': {
    model: sequence([
      gru(5, { returnSequences: true, resetAfter: false }),
      gru(4, { resetAfter: false, useBias: false }),
      dense(3),
    ]),
    only: 'tfjs',
  },
  'lstm, gru, hard gates': {
    model: sequence([
      lstm(5, { returnSequences: true, recurrentActivation: 'hardSigmoid' }),
      gru(4, { resetAfter: false, recurrentActivation: 'hardSigmoid' }),
      dense(3),
    ]),
    only: 'tfjs',
  },
  'lstm, lengths': {
    model: graph([
      apply(lstm(5, { lengths: true }), [input('x', [6, 4]), input('lengths', 1)]).apply(dense(3)),
    ]),
    fill: { lengths: 'lengths' },
  },
  'simpleRnn, gru, lengths, all steps': {
    model: (() => {
      const [x, lengths] = [input('x', [6, 4]), input('lengths', 1)];
      const all = apply(simpleRnn(5, { lengths: true, returnSequences: true }), [x, lengths]);
      return graph([apply(gru(4, { lengths: true }), [all, lengths]).apply(dense(3))]);
    })(),
    fill: { lengths: 'lengths' },
    only: 'torch',
  },
  'bidirectional lstm, all steps, then the last': {
    model: sequence([
      bidirectional(lstm(4, { returnSequences: true })),
      bidirectional(lstm(3)),
      dense(3),
    ]),
  },
  'bidirectional simpleRnn: sum, average, product': {
    model: sequence([
      bidirectional(simpleRnn(4, { returnSequences: true }), { merge: 'sum' }),
      bidirectional(simpleRnn(4, { returnSequences: true }), { merge: 'average' }),
      bidirectional(simpleRnn(4, { returnSequences: true }), { merge: 'multiply' }),
      flatten(),
      dense(3),
    ]),
  },
  'bidirectional gru': {
    model: sequence([bidirectional(gru(4, { returnSequences: true })), flatten(), dense(3)]),
    only: 'torch',
  },
  'bidirectional gru that resets before the product': {
    model: sequence([bidirectional(gru(4, { resetAfter: false })), dense(3)]),
    only: 'tfjs',
  },
  'add, average, multiply, concat, shared weights': {
    model: (() => {
      const shared = dense(6);
      const [a, b] = [input('a', 4), input('b', 4)];
      const [x, y] = [a.apply(shared, 'x'), b.apply(shared, 'y')];
      const merged = [add(), average(), multiply()].map((layer) => apply(layer, [x, y]));
      return graph([apply(concat(), merged).apply(tanh()).apply(dense(3))]);
    })(),
  },
};

const two = (loss) => row([dense(9), tanh(), dense(2)], { loss });
const three = (loss) => row([dense(9), tanh(), dense(3)], { loss });
const SCALE = [0.5, 2, 1];

const losses = {
  crossEntropy: { model: three(crossEntropy()) },
  'crossEntropy as in Keras': { model: three(crossEntropy()), keras: true },
  'crossEntropy, label smoothing': { model: three(crossEntropy({ labelSmoothing: 0.2 })) },
  'crossEntropy, class weights': { model: three(crossEntropy({ classWeights: SCALE })) },
  'crossEntropy, class weights as in Keras': {
    model: three(crossEntropy({ classWeights: SCALE })),
    keras: true,
  },
  'crossEntropy, class weights over their sum': {
    model: three(crossEntropy({ classWeights: SCALE, reduction: 'weighted-mean' })),
  },
  'crossEntropy, class weights over their sum, label smoothing': {
    model: three(
      crossEntropy({ classWeights: SCALE, reduction: 'weighted-mean', labelSmoothing: 0.1 }),
    ),
    only: 'torch',
  },
  'crossEntropy, sample weights': { model: three(crossEntropy()), sampleWeights: true },
  'crossEntropy, class weights, sample weights': {
    model: three(crossEntropy({ classWeights: SCALE })),
    sampleWeights: true,
  },
  'crossEntropy at every step': {
    model: sequence([dense(5), tanh(), dense(3)], { loss: crossEntropy() }),
  },
  'crossEntropy at every step, sample weights': {
    model: sequence([dense(5), tanh(), dense(3)], { loss: crossEntropy() }),
    sampleWeights: true,
  },
  'crossEntropy at every step, an ignored label': {
    model: sequence([dense(5), tanh(), dense(3)], { loss: crossEntropy({ ignoreLabel: 1 }) }),
  },
  'crossEntropy at every pixel, an ignored label, class weights, smoothing': {
    model: image([conv2d(3, { kernelSize: 3, padding: 'same' })], {
      loss: crossEntropy({ ignoreLabel: -1, classWeights: SCALE, labelSmoothing: 0.1 }),
    }),
    only: 'torch',
  },
  'crossEntropy, an ignored label, over the weights of the others': {
    model: three(crossEntropy({ ignoreLabel: 2, classWeights: SCALE, reduction: 'weighted-mean' })),
  },
  categoricalCrossEntropy: { model: three(categoricalCrossEntropy()) },
  'categoricalCrossEntropy as in Keras': { model: three(categoricalCrossEntropy()), keras: true },
  'categoricalCrossEntropy, label smoothing': {
    model: three(categoricalCrossEntropy({ labelSmoothing: 0.1 })),
  },
  'categoricalCrossEntropy, class weights, smoothing': {
    model: three(categoricalCrossEntropy({ classWeights: SCALE, labelSmoothing: 0.1 })),
    only: 'torch',
  },
  'categoricalCrossEntropy at every step, sample weights': {
    model: sequence([dense(5), tanh(), dense(3)], { loss: categoricalCrossEntropy() }),
    sampleWeights: true,
  },
  binaryCrossEntropy: { model: two(binaryCrossEntropy()) },
  'binaryCrossEntropy as in Keras': { model: two(binaryCrossEntropy()), keras: true },
  'binaryCrossEntropy, sample weights': { model: two(binaryCrossEntropy()), sampleWeights: true },
  'binaryCrossEntropy, a positive weight': {
    model: two(binaryCrossEntropy({ posWeight: 2.5 })),
    only: 'torch',
  },
  'binaryCrossEntropy, positive weights': {
    model: two(binaryCrossEntropy({ posWeight: [0.5, 3] })),
    only: 'torch',
  },
  meanSquaredError: { model: two(meanSquaredError()) },
  'meanSquaredError as in Keras': { model: two(meanSquaredError()), keras: true },
  'meanSquaredError at every step, sample weights': {
    model: sequence([dense(5), tanh(), dense(2)], { loss: meanSquaredError() }),
    sampleWeights: true,
  },
  meanAbsoluteError: { model: two(meanAbsoluteError()) },
  'meanAbsoluteError as in Keras': { model: two(meanAbsoluteError()), keras: true },
  'meanAbsoluteError, sample weights': { model: two(meanAbsoluteError()), sampleWeights: true },
  huber: { model: two(huber()) },
  'huber, delta, sample weights': { model: two(huber({ delta: 0.3 })), sampleWeights: true },
  penalties: {
    model: {
      ...three(crossEntropy()),
      penalties: [
        { match: ['dense1.weight'], l1: 0.01, l2: 0.03 },
        { match: ['dense2.weight'], l2: 0.1 },
      ],
    },
  },
  'two losses with weights': {
    model: {
      ...(() => {
        const x = input('x', 5).apply(dense(9)).apply(tanh());
        return graph({ kind: x.apply(dense(3)), size: x.apply(dense(2)) });
      })(),
      loss: { kind: crossEntropy(), size: meanSquaredError() },
      lossWeights: { kind: 0.5, size: 2 },
    },
  },
};

const optimizerCase = (optimizer, more = {}) => ({ model: three(), optimizer, steps: 40, ...more });
const BETAS = [0.9, 0.999];
const TORCH = { only: 'torch' };
const TFJS = { only: 'tfjs' };

const optimizers = {
  sgd: optimizerCase(['sgd', { lr: 0.3 }]),
  'sgd, momentum': optimizerCase(['sgd', { lr: 0.05, momentum: 0.9 }]),
  'sgd, Nesterov': optimizerCase(['sgd', { lr: 0.05, momentum: 0.9, nesterov: true }]),
  'sgd, momentum, dampening, l2': optimizerCase(
    ['sgd', { lr: 0.1, momentum: 0.9, dampening: 0.3, l2: 0.01 }],
    TORCH,
  ),
  adam: optimizerCase(['adam', { lr: 0.01, betas: BETAS, eps: 1e-8 }]),
  'adam, eps 1e-3': optimizerCase(['adam', { lr: 0.01, betas: [0.8, 0.99], eps: 1e-3 }]),
  'adam, l2': optimizerCase(['adam', { lr: 0.01, betas: BETAS, eps: 1e-8, l2: 0.05 }], TORCH),
  adamw: optimizerCase(['adamw', { lr: 0.01, betas: BETAS, eps: 1e-8, weightDecay: 0.1 }], TORCH),
  amsgrad: optimizerCase(['amsgrad', { lr: 0.01, betas: [0.9, 0.9], eps: 1e-8 }], TORCH),
  nadam: optimizerCase(
    ['nadam', { lr: 0.01, betas: BETAS, eps: 1e-8, momentumDecay: 0.004 }],
    // PyTorch 1.13 counts the momentum of the current step twice; see docs/optimizers.md.
    { only: 'torch', torchSince: 2 },
  ),
  radam: optimizerCase(['radam', { lr: 0.02, betas: BETAS, eps: 1e-8 }], TORCH),
  adagrad: optimizerCase(['adagrad', { lr: 0.05, eps: 1e-10, lrDecay: 0.1 }], TORCH),
  'adagrad from 0.1': optimizerCase(['adagrad', { lr: 0.05, initialAccumulator: 0.1, eps: 0 }]),
  rmsprop: optimizerCase(['rmsprop', { lr: 0.003, alpha: 0.99, eps: 1e-8 }], TORCH),
  'rmsprop, momentum': optimizerCase(
    ['rmsprop', { lr: 0.001, alpha: 0.9, eps: 1e-6, momentum: 0.8 }],
    TORCH,
  ),
  'rmsprop, centred, momentum, l2': optimizerCase(
    ['rmsprop', { lr: 0.001, alpha: 0.9, eps: 1e-3, momentum: 0.5, centered: true, l2: 0.01 }],
    TORCH,
  ),
  'rmsprop, ε under the root': optimizerCase(
    ['rmsprop', { lr: 0.003, alpha: 0.9, eps: 1e-7, epsInSqrt: true }],
    TFJS,
  ),
  'rmsprop, ε under the root, momentum': optimizerCase(
    ['rmsprop', { lr: 0.001, alpha: 0.9, eps: 1e-4, momentum: 0.8, epsInSqrt: true }],
    TFJS,
  ),
  // With a small ε, which TensorFlow.js subtracts under the root (docs/optimizers.md).
  'rmsprop, centred': optimizerCase(
    ['rmsprop', { lr: 0.001, alpha: 0.9, eps: 1e-12, centered: true, epsInSqrt: true }],
    TFJS,
  ),
  adadelta: optimizerCase(['adadelta', { lr: 1, rho: 0.9, eps: 1e-4 }], TORCH),
  adamax: optimizerCase(['adamax', { lr: 0.01, betas: BETAS, eps: 1e-8 }]),
  'clipped by the norm': optimizerCase(
    ['sgd', { lr: 0.3, momentum: 0.5, clipGradNorm: 0.2 }],
    TORCH,
  ),
  'clipped by values': optimizerCase(
    ['sgd', { lr: 0.3, momentum: 0.5, clipGradValue: 0.05 }],
    TORCH,
  ),
};

const named = (group, cases) =>
  Object.entries(cases).map(([name, each]) => ({
    name: `${group}: ${name}`,
    optimizer: MOMENTUM,
    ...each,
  }));

export const CASES = [
  ...named('layers', { ...activations, ...layers }),
  ...named('losses', losses),
  ...named('optimizers', optimizers),
];

/**
 * Models with dropout, trained from the same weights with 20 seeds: the mean of our final losses
 * has to lie in the 95% interval of the peer's mean.
 */
export const DROPOUT_CASES = named('dropout', {
  'first and amid': { model: row([dropout(0.2), dense(32), relu(), dropout(0.5), dense(3)]) },
  'of images': {
    model: image([conv2d(4, { kernelSize: 3 }), relu(), dropout(0.25), flatten(), dense(3)]),
  },
  'of attention': {
    model: sequence([multiHeadAttention({ heads: 2, dropout: 0.3 }), flatten(), dense(3)]),
    only: 'torch',
  },
}).map((each) => ({ ...each, seeds: 20, steps: 60 }));

/**
 * What a peer lacks, by kind or name, with the reason. Everything else has to be in a case of each
 * peer.
 */
export const WITHOUT_TWIN = {
  tfjs: {
    layers: {
      maxout: 'none',
      multiHeadAttention: 'in the sources, not exported',
      positionEmbedding: 'none',
      slice: 'none',
      upSampling1d: 'none',
    },
    losses: {},
    optimizers: {
      adabelief: 'none',
      adabound: 'none',
      adadelta: 'divides by the mean square of before this gradient (docs/optimizers.md)',
      adal: 'none',
      adamw: 'none',
      amsgrad: 'none',
      lion: 'none',
      muon: 'none',
      nadam: 'none',
      radam: 'none',
      'schedule-free-adamw': 'none',
    },
  },
  torch: {
    layers: {},
    losses: {},
    optimizers: {
      adabelief: 'none',
      adabound: 'none',
      adal: 'none',
      lion: 'none',
      muon: 'none in 1.13',
      'schedule-free-adamw': 'none',
    },
  },
};
