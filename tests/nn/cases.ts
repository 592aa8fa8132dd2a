/**
 * Small networks that between them hold every layer and every loss, at sizes that leave no vector
 * whole.
 */
import {
  avgPool1d,
  avgPool2d,
  batchNorm,
  bidirectional,
  binaryCrossEntropy,
  categoricalCrossEntropy,
  conv1d,
  conv2d,
  conv2dTranspose,
  crossEntropy,
  dense,
  depthwiseConv2d,
  describeModel,
  dropout,
  elu,
  embedding,
  flatten,
  gelu,
  globalAvgPool,
  globalMaxPool,
  gru,
  huber,
  layerNorm,
  leakyRelu,
  lstm,
  maxout,
  maxPool1d,
  maxPool2d,
  meanAbsoluteError,
  meanSquaredError,
  multiHeadAttention,
  positionEmbedding,
  relu,
  relu6,
  repeatVector,
  reshape,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
  simpleRnn,
  slice,
  softmax,
  tanh,
  upSampling1d,
  upSampling2d,
} from '../../src/nn';
import type { NetworkCase } from '../support/network64';

const image = [6, 7, 3] as const;

export const CASES: Readonly<Record<string, NetworkCase>> = {
  'dense, relu': {
    inputShape: [5],
    layers: sequential([dense(7), relu(), dense(3)]),
    loss: crossEntropy(),
    batchSize: 4,
  },
  'dense and conv without bias': {
    inputShape: [4, 3, 2],
    layers: sequential([
      conv2d(5, { kernelSize: 2, useBias: false, kernelInitializer: 'glorotNormal' }),
      tanh(),
      flatten(),
      dense(6, { useBias: false, kernelInitializer: 'orthogonal', name: 'middle' }),
      tanh(),
      dense(3, { biasInitializer: { kind: 'uniform', min: -1, max: 1 } }),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'elu, gelu': {
    inputShape: [5],
    layers: sequential([
      dense(7),
      elu(),
      dense(6),
      elu(0.5),
      dense(5),
      gelu(),
      dense(5),
      gelu({ approximate: 'tanh' }),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 4,
  },
  'softmax, relu6': {
    inputShape: [2, 5],
    layers: sequential([
      dense(7, { biasInitializer: { kind: 'uniform', min: -3, max: 9 } }),
      relu6(),
      dense(6),
      softmax(),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'maxout, a sequence through maxout without bias': {
    inputShape: [3, 5],
    layers: sequential([
      maxout(7, 3),
      maxout(5, 2, { useBias: false, kernelInitializer: 'glorotUniform' }),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'repeat, reshape, batch norm with a biased running variance': {
    inputShape: [6],
    layers: sequential([
      dense(5),
      repeatVector(3),
      dense(4),
      batchNorm({ runningVariance: 'biased' }),
      tanh(),
      reshape([2, -1, 3]),
      conv2d(3, { kernelSize: 2 }),
      reshape([3]),
    ]),
    loss: crossEntropy(),
    batchSize: 4,
  },
  'leaky relu, class weights': {
    inputShape: [5],
    layers: sequential([dense(7), leakyRelu(0.1), dense(3)]),
    loss: crossEntropy({ classWeights: [0.5, 2, 1] }),
    batchSize: 5,
  },
  'tanh, class weights over their sum': {
    inputShape: [5],
    layers: sequential([dense(7), tanh(), dense(3)]),
    loss: crossEntropy({ classWeights: [0.5, 2, 1], reduction: 'weighted-mean' }),
    batchSize: 5,
  },
  'tanh, mean squared error': {
    inputShape: [3],
    layers: sequential([dense(6), tanh(), dense(2)]),
    loss: meanSquaredError(),
    batchSize: 4,
  },
  'sigmoid, huber': {
    inputShape: [3],
    layers: sequential([dense(6), sigmoid(), dense(3)]),
    loss: huber({ delta: 0.4 }),
    batchSize: 4,
  },
  'silu, binary cross-entropy': {
    inputShape: [3],
    layers: sequential([dense(6), silu(), dense(2)]),
    loss: binaryCrossEntropy(),
    batchSize: 3,
  },
  'batch norm first and amid': {
    inputShape: [5],
    layers: sequential([
      batchNorm(),
      dense(6),
      batchNorm({ eps: 1e-3, momentum: 0.3 }),
      relu(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 6,
  },
  'layer norm': {
    inputShape: [4],
    layers: sequential([dense(9), layerNorm(), tanh(), layerNorm({ eps: 1e-3 }), dense(3)]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'dropout first and amid': {
    inputShape: [20],
    layers: sequential([dropout(0.2), dense(18), relu(), dropout(0.5), dense(3)]),
    loss: crossEntropy(),
    batchSize: 4,
  },
  'embedding, a sequence through dense': {
    inputShape: [4],
    layers: sequential([embedding(6, 5), dense(3), tanh(), flatten(), dense(4)]),
    loss: crossEntropy(),
    batchSize: 5,
  },
  'embedding, mean over steps': {
    inputShape: [4],
    layers: sequential([embedding(6, 5), layerNorm(), globalAvgPool(), dense(4)]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'conv, max pool': {
    inputShape: image,
    layers: sequential([
      conv2d(5, { kernelSize: 3, padding: 1 }),
      relu(),
      maxPool2d(2),
      conv2d(4, { kernelSize: 2 }),
      silu(),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'conv with stride, average pool': {
    inputShape: image,
    layers: sequential([
      conv2d(4, { kernelSize: [2, 3], stride: [1, 2], padding: [0, 1] }),
      tanh(),
      conv2d(6, { kernelSize: 3, stride: 2, padding: 'same' }),
      avgPool2d(2, { stride: 1 }),
      flatten(),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 10,
  },
  'conv, batch norm, overlapping max pool, global average': {
    inputShape: image,
    layers: sequential([
      conv2d(5, { kernelSize: 3, padding: 'same' }),
      batchNorm(),
      relu(),
      maxPool2d(3, { stride: 1 }),
      conv2d(6, { kernelSize: 1 }),
      globalAvgPool(),
      dropout(0.3),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 4,
  },
  'lstm: a sequence, then its last step': {
    inputShape: [4, 3],
    layers: sequential([lstm(5, { returnSequences: true }), lstm(7), dense(3)]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'lstm backwards, without biases, with its states': {
    inputShape: [3, 5],
    layers: sequential([
      lstm(6, { returnSequences: true, goBackwards: true, useBias: false }),
      lstm(3, { returnState: true, unitForgetBias: false }),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 2,
  },
  'gru: a sequence, then its last step': {
    inputShape: [4, 3],
    layers: sequential([gru(5, { returnSequences: true }), gru(7), dense(3)]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'gru that resets before the product, with and without biases': {
    inputShape: [3, 5],
    layers: sequential([
      gru(6, { returnSequences: true, resetAfter: false }),
      gru(5, { returnSequences: true, useBias: false, goBackwards: true }),
      gru(3, { resetAfter: false, useBias: false }),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 2,
  },
  'simple rnn: tanh, relu': {
    inputShape: [4, 3],
    layers: sequential([
      simpleRnn(5, { returnSequences: true }),
      simpleRnn(7, { activation: 'relu', goBackwards: true, returnSequences: true }),
      simpleRnn(6, { useBias: false, returnState: true }),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'bidirectional: side by side, a sum': {
    inputShape: [4, 3],
    layers: sequential([
      bidirectional(lstm(5, { returnSequences: true })),
      bidirectional(gru(3, { returnSequences: true }), { merge: 'sum' }),
      bidirectional(simpleRnn(3)),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'bidirectional: a mean, a product; a slice of the steps': {
    inputShape: [4, 3],
    layers: sequential([
      bidirectional(gru(5, { returnSequences: true, resetAfter: false }), { merge: 'average' }),
      slice(1, -1),
      bidirectional(simpleRnn(5, { returnSequences: true }), { merge: 'multiply' }),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 2,
  },
  'causal attention over learnt positions': {
    inputShape: [5],
    layers: sequential([
      embedding(6, 6),
      positionEmbedding({ maxSteps: 7 }),
      multiHeadAttention({ heads: 3, causal: true, useBias: false }),
      flatten(),
      dense(4),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'attention over sinusoidal positions, dropout': {
    inputShape: [6, 5],
    layers: sequential([
      positionEmbedding({ encoding: 'sinusoidal' }),
      multiHeadAttention({ heads: 2, keyDim: 3, valueDim: 5, useBias: false, dropout: 0.3 }),
      layerNorm(),
      flatten(),
      dense(3),
    ]),
    loss: meanSquaredError(),
    batchSize: 4,
  },
  'depthwise conv, padding and stride': {
    inputShape: image,
    layers: sequential([
      depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
      tanh(),
      depthwiseConv2d({ kernelSize: [2, 3], stride: [1, 2], padding: [0, 1], depthMultiplier: 3 }),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'depthwise conv, many channels, dilation, no bias': {
    inputShape: [7, 9, 2],
    layers: sequential([
      conv2d(22, { kernelSize: 1 }),
      depthwiseConv2d({ kernelSize: 3, stride: [1, 3], padding: 2, dilation: 2, useBias: false }),
      silu(),
      flatten(),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 2,
  },
  'separable conv': {
    inputShape: image,
    layers: sequential([
      separableConv2d(5, { kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
      tanh(),
      separableConv2d(4, { kernelSize: 2, stride: 2, useBias: false }),
      flatten(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'conv over time, causal and dilated, pools': {
    inputShape: [21, 3],
    layers: sequential([
      conv1d(5, { kernelSize: 3, padding: 'causal', dilation: 2 }),
      silu(),
      maxPool1d(3, { stride: 2, padding: 'same' }),
      conv1d(6, { kernelSize: 4, stride: 2, padding: 2, useBias: false }),
      tanh(),
      avgPool1d(3, { stride: 1, padding: 1 }),
      upSampling1d(3),
      conv1d(4, { kernelSize: 2, padding: 'same' }),
      globalMaxPool(),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'dilated conv, padded pools, upsampling': {
    inputShape: image,
    layers: sequential([
      conv2d(5, { kernelSize: [2, 3], padding: 'same', dilation: 2 }),
      silu(),
      maxPool2d(3, { stride: 2, padding: 1 }),
      upSampling2d([2, 3]),
      conv2d(6, { kernelSize: 3, stride: 2, padding: 1, dilation: [3, 1] }),
      avgPool2d(3, { stride: 2, padding: 'same' }),
      flatten(),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 3,
  },
  'transposed conv': {
    inputShape: [3, 4, 3],
    layers: sequential([
      conv2dTranspose(5, { kernelSize: 3, stride: 2, padding: 'same' }),
      tanh(),
      conv2dTranspose(2, {
        kernelSize: [2, 3],
        stride: [2, 1],
        padding: [0, 1],
        outputPadding: [1, 0],
        useBias: false,
      }),
      flatten(),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 9,
  },
  'mean absolute error': {
    inputShape: [3],
    layers: sequential([dense(6), tanh(), dense(3)]),
    loss: meanAbsoluteError(),
    batchSize: 5,
  },
  'positive weight': {
    inputShape: [3],
    layers: sequential([dense(6), silu(), dense(2)]),
    loss: binaryCrossEntropy({ posWeight: 2.5 }),
    batchSize: 3,
  },
  'positive weights': {
    inputShape: [3],
    layers: sequential([dense(6), silu(), dense(3)]),
    loss: binaryCrossEntropy({ posWeight: [0.5, 3, 1] }),
    batchSize: 3,
  },
  'label smoothing, class weights over their sum': {
    inputShape: [5],
    layers: sequential([dense(7), tanh(), dense(5)]),
    loss: crossEntropy({
      labelSmoothing: 0.2,
      classWeights: [0.5, 2, 1, 3, 0.25],
      reduction: 'weighted-mean',
    }),
    batchSize: 5,
  },
  'probabilities, class weights, smoothing': {
    inputShape: [5],
    layers: sequential([dense(7), tanh(), dense(6)]),
    loss: categoricalCrossEntropy({
      labelSmoothing: 0.1,
      classWeights: [0.5, 2, 1, 3, 0.25, 1],
    }),
    batchSize: 5,
  },
  'probabilities at every step': {
    inputShape: [4],
    layers: sequential([embedding(6, 5), dense(3)]),
    loss: categoricalCrossEntropy(),
    batchSize: 3,
  },
  'classes at every step, some ignored': {
    inputShape: [4],
    layers: sequential([embedding(6, 5), tanh(), dense(3)]),
    loss: crossEntropy({ ignoreLabel: 1 }),
    batchSize: 5,
  },
  'classes at every pixel, some ignored, smoothing': {
    inputShape: image,
    layers: sequential([conv2d(5, { kernelSize: 3, padding: 1 })]),
    loss: crossEntropy({ ignoreLabel: -100, labelSmoothing: 0.1 }),
    batchSize: 3,
  },
  'hard gates': {
    inputShape: [4, 3],
    layers: sequential([
      lstm(5, { returnSequences: true, recurrentActivation: 'hardSigmoid' }),
      gru(6, { returnSequences: true, recurrentActivation: 'hardSigmoid' }),
      gru(7, { resetAfter: false, recurrentActivation: 'hardSigmoid' }),
      dense(3),
    ]),
    loss: crossEntropy(),
    batchSize: 3,
  },
  'bilinear upsampling': {
    inputShape: [3, 4, 2],
    layers: sequential([
      conv2d(7, { kernelSize: 2, dilation: [1, 2] }),
      tanh(),
      upSampling2d(2, { interpolation: 'bilinear' }),
      upSampling2d([3, 1], { interpolation: 'bilinear' }),
      conv2d(3, { kernelSize: 2, stride: 2 }),
      flatten(),
      dense(2),
    ]),
    loss: meanSquaredError(),
    batchSize: 3,
  },
};

/** Inputs and targets of a case: seeded numbers in (-1, 1), whole ones where a table is indexed. */
export function dataFor(
  { inputShape, layers, loss, batchSize }: NetworkCase,
  outputs: number,
  next: () => number,
) {
  const [first] = layers;
  const inputs = batchSize * inputShape.reduce((product, size) => product * size, 1);
  const draw =
    first.kind === 'embedding'
      ? () => Math.floor(next() * first.rows)
      : () => Math.fround(2 * next() - 1);
  const input = Float32Array.from({ length: inputs }, draw);
  const targetsIn01 = ['binaryCrossEntropy', 'categoricalCrossEntropy'].includes(loss.kind);
  const { outputShape } = describeModel({ inputShape, layers, loss });
  const classes = outputShape.at(-1)!;
  const positions = outputs / classes;
  const skipped = loss.kind === 'crossEntropy' ? loss.ignoreLabel : undefined;
  // Every fifth label or so is ignored, if labels are.
  const labels = Int32Array.from({ length: batchSize * positions }, (_, index) => {
    const label = Math.floor(next() * classes);
    return skipped !== undefined && index % 5 === 2 ? skipped : label;
  });
  const share = targetsIn01 ? () => next() : () => 2 * next() - 1;
  return { input, labels, targets: Float32Array.from({ length: batchSize * outputs }, share) };
}
