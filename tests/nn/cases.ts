/**
 * Small networks that between them hold every layer and every loss, at sizes that leave no vector
 * whole.
 */
import {
  avgPool2d,
  batchNorm,
  binaryCrossEntropy,
  categoricalCrossEntropy,
  conv2d,
  crossEntropy,
  dense,
  describeModel,
  dropout,
  embedding,
  flatten,
  globalAvgPool,
  huber,
  layerNorm,
  leakyRelu,
  maxPool2d,
  meanAbsoluteError,
  meanSquaredError,
  relu,
  sequential,
  sigmoid,
  silu,
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
