/**
 * Small networks that between them hold every layer and every loss, at sizes that leave no vector
 * whole.
 */
import {
  avgPool2d,
  batchNorm,
  bidirectional,
  binaryCrossEntropy,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  embedding,
  flatten,
  globalAvgPool,
  gru,
  huber,
  layerNorm,
  leakyRelu,
  lstm,
  maxPool2d,
  meanSquaredError,
  relu,
  sequential,
  sigmoid,
  silu,
  simpleRnn,
  slice,
  tanh,
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
