/**
 * E1, E2: whole fits as classroom and web pages train them. They are timed and not ranked. Their
 * samples are drawn from a seed.
 */
import type { Dataset } from 'adal-wasm/data';
import { Prng } from 'adal-wasm/math';
import { batchNorm, dense, relu } from 'adal-wasm/nn';
import { createNetworkProblem, type NetworkSettings } from '../problems/network';
import type { Reference, Workload } from '../types';

const BATCH = 16;

/** Classes around centres of their own, of deviation 1 around deviation 1. */
function clusters(name: string, count: number, featureCount: number, classCount: number): Dataset {
  const prng = new Prng(1);
  const centres = Float32Array.from({ length: classCount * featureCount }, () => prng.normal());
  const features = new Float32Array(count * featureCount);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classCount);
  for (let i = 0; i < features.length; i++) {
    const label = labels[Math.floor(i / featureCount)];
    features[i] = centres[label * featureCount + (i % featureCount)] + prng.normal();
  }
  return { name, features, labels, count, featureCount, classCount };
}

interface EdgeSettings {
  readonly id: string;
  readonly title: string;
  readonly optimizer: string;
  readonly epochs: number;
  readonly data: readonly [count: number, features: number, classes: number];
  readonly layers: NetworkSettings['layers'];
  readonly parameters: number;
  readonly references: readonly Reference[];
}

function edge({
  id,
  title,
  optimizer,
  epochs,
  data,
  layers,
  parameters,
  references,
}: EdgeSettings): Workload {
  const [count, features] = data;
  const extent = { epochs, searchSeeds: 0, finalSeeds: 3, optimizers: [optimizer] };
  return {
    id,
    group: id,
    version: 1,
    title,
    ranked: false,
    metric: {
      name: 'training loss',
      field: 'trainLoss',
      direction: 'lower',
      scale: 'log',
      unit: 'nats',
    },
    target: null,
    selectBy: { field: 'trainLoss', direction: 'lower' },
    batchSize: BATCH,
    samples: { train: count, validation: 0, test: 0 },
    parameters,
    tiers: { smoke: { ...extent, epochs: 5, finalSeeds: 1 }, standard: extent, full: extent },
    attribution: null,
    references,
    async prepare() {
      const train = clusters(id, ...data);
      const settings = { inputShape: [features], layers, batchSize: BATCH };
      return {
        create: (runtime, seed) =>
          createNetworkProblem(runtime, seed, { train, validation: null, test: null }, settings),
      };
    },
  };
}

const fitMs = (value: number, source: string): Reference => {
  return {
    optimizer: null,
    options: { fitMs: value },
    value,
    spread: null,
    seeds: null,
    kind: 'measured',
    source,
  };
};

export const edges: readonly Workload[] = [
  edge({
    id: 'E1',
    title: 'A micro:bit classroom: 24 features, batch norm, 16 ReLU, softmax 4, 60 samples',
    optimizer: 'sgd',
    epochs: 160,
    data: [60, 24, 4],
    layers: [batchNorm(), dense(16), relu(), dense(4)],
    parameters: 516,
    references: [
      fitMs(874, 'TensorFlow.js wasm'),
      fitMs(33, 'a naive JavaScript loop, without batch norm'),
    ],
  }),
  edge({
    id: 'E2',
    title: "Teachable Machine's head: 1280 → 100 ReLU → 3, 150 samples",
    optimizer: 'adam',
    epochs: 50,
    data: [150, 1280, 3],
    layers: [dense(100), relu(), dense(3)],
    parameters: 128_403,
    references: [fitMs(4023, 'TensorFlow.js wasm')],
  }),
];
