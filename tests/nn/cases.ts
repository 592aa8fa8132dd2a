/**
 * Small networks that between them hold every layer and every loss, at sizes that leave no vector
 * whole.
 */
import {
  avgPool1d,
  avgPool2d,
  batchNorm,
  binaryCrossEntropy,
  conv1d,
  conv2d,
  conv2dTranspose,
  crossEntropy,
  dense,
  depthwiseConv2d,
  dropout,
  embedding,
  flatten,
  globalAvgPool,
  globalMaxPool,
  huber,
  layerNorm,
  leakyRelu,
  maxPool1d,
  maxPool2d,
  meanSquaredError,
  relu,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
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
  const labels = Int32Array.from({ length: batchSize }, () => Math.floor(next() * outputs));
  const share = loss.kind === 'binaryCrossEntropy' ? () => next() : () => 2 * next() - 1;
  return { input, labels, targets: Float32Array.from({ length: batchSize * outputs }, share) };
}
