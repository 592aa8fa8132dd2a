/** W5, W6, W6x: Fashion-MNIST by an MLP, a small CNN, and the network of DeepOBS. */

import type { Dataset } from 'adal-wasm/data';
import { idxDataset, parseIdx } from 'adal-wasm/data';
import { Prng } from 'adal-wasm/math';
import { conv2d, dense, flatten, type Layer, type Model, maxPool2d, relu } from 'adal-wasm/nn';
import { type DataSource, loadUnzipped } from '../data';
import { HEADLINE } from '../optimizers';
import { createNetworkProblem, firstOf, type NetworkSettings, splitOff } from '../problems/network';
import type { PreparedWorkload, Workload } from '../types';

const VALIDATION = 6000;
/** Of the smaller tiers, where time is short. */
const SMALL = { train: 10_000, validation: 2000, test: 2000 };
const WHOLE = { train: 54_000, validation: VALIDATION, test: 10_000 };

async function loadPart(data: DataSource, part: 'train' | 't10k'): Promise<Dataset> {
  const read = async (what: string) =>
    parseIdx(await loadUnzipped(data, `fashion-mnist/${part}-${what}-ubyte.gz`), what);
  const [images, labels] = await Promise.all([read('images-idx3'), read('labels-idx1')]);
  return idxDataset(images, labels, { name: 'fashion-mnist', classCount: 10 });
}

/**
 * The distributed order is random already: the validation part is the last of the training images,
 * whatever the seed.
 */
async function prepare(
  data: DataSource,
  sizes: typeof SMALL,
  settings: NetworkSettings,
): Promise<PreparedWorkload> {
  const [all, allTest] = await Promise.all([loadPart(data, 'train'), loadPart(data, 't10k')]);
  const [rest, heldOut] = splitOff(all, VALIDATION);
  const parts = {
    train: firstOf(rest, sizes.train),
    validation: firstOf(heldOut, sizes.validation),
    test: firstOf(allTest, sizes.test),
  };
  return { create: (runtime, seed) => createNetworkProblem(runtime, seed, parts, settings) };
}

const ATTRIBUTION = 'Fashion-MNIST (Zalando SE 2017), MIT';
const accuracy = {
  name: 'test accuracy',
  field: 'testMetric',
  direction: 'higher',
  scale: 'linear',
  unit: null,
} as const;
const byAccuracy = { field: 'validationMetric', direction: 'higher' } as const;
const common = {
  version: 1,
  ranked: true,
  metric: accuracy,
  selectBy: byAccuracy,
  attribution: ATTRIBUTION,
};
const measured = {
  seeds: null,
  kind: 'measured',
  source: 'this project, before the suite',
} as const;

const mlp: NetworkSettings = {
  inputShape: [784],
  layers: [dense(128), relu(), dense(10)],
  batchSize: 128,
  trainEvaluationCount: 2000,
};
const MLP_PARAMETERS = 101_770;

/** A fifth of the images: what a phone or an impatient reader can train. */
export const fashionSmall: Workload = {
  ...common,
  id: 'W5-small',
  group: 'W5',
  title: 'Fashion-MNIST, 10,000 images, MLP 784-128-10',
  target: { field: 'validationMetric', value: 0.8 },
  batchSize: 128,
  samples: SMALL,
  parameters: MLP_PARAMETERS,
  tiers: {
    standard: {
      epochs: 3,
      searchSeeds: 2,
      finalSeeds: 10,
      optimizers: HEADLINE,
      schedules: ['cosine', 'inverse-sqrt'],
      evaluations: 25,
    },
  },
  references: [],
  prepare: (data) => prepare(data, SMALL, mlp),
};

export const fashionMlp: Workload = {
  ...common,
  id: 'W5',
  group: 'W5',
  title: 'Fashion-MNIST, MLP 784-128-10',
  target: { field: 'validationMetric', value: 0.87 },
  batchSize: 128,
  samples: WHOLE,
  parameters: MLP_PARAMETERS,
  tiers: { full: { epochs: 10, searchSeeds: 3, finalSeeds: 20 } },
  references: [
    { optimizer: 'adam', options: { epochs: 10 }, value: 0.881, spread: 0.002, ...measured },
  ],
  prepare: (data) => prepare(data, WHOLE, mlp),
};

const convolve = (filters: number, kernelSize: number): Layer[] => [
  conv2d(filters, { kernelSize, padding: 'same' }),
  relu(),
  maxPool2d(2),
];

export const fashionCnn: Workload = {
  ...common,
  id: 'W6',
  group: 'W6',
  title: 'Fashion-MNIST, CNN of 2 convolutions',
  target: { field: 'validationMetric', value: 0.9 },
  batchSize: 128,
  samples: WHOLE,
  parameters: 105_866,
  tiers: { full: { epochs: 10, searchSeeds: 3, finalSeeds: 20, optimizers: HEADLINE } },
  references: [
    {
      optimizer: null,
      options: {},
      value: 0.92,
      spread: null,
      seeds: null,
      kind: 'published',
      source: 'benchmarks of Fashion-MNIST',
    },
  ],
  prepare: (data) =>
    prepare(data, WHOLE, {
      inputShape: [28, 28, 1],
      layers: [...convolve(16, 3), ...convolve(32, 3), flatten(), dense(64), relu(), dense(10)],
      batchSize: 128,
      trainEvaluationCount: 2000,
    }),
};

/**
 * As DeepOBS begins: weights from a normal distribution of deviation .05, cut at two deviations;
 * biases .05.
 */
function initialiseAsDeepObs(model: Model, seed: number): void {
  const prng = new Prng(seed);
  for (const [name, { data }] of Object.entries(model.weights)) {
    if (name.endsWith('.bias')) data.fill(0.05);
    else for (let i = 0; i < data.length; i++) data[i] = 0.05 * truncatedNormal(prng);
  }
}

function truncatedNormal(prng: Prng): number {
  let value = prng.normal();
  while (Math.abs(value) > 2) value = prng.normal();
  return value;
}

export const fashionDeepObs: Workload = {
  ...common,
  id: 'W6x',
  group: 'W6',
  title: 'DeepOBS fmnist_2c2d',
  target: { field: 'validationMetric', value: 0.92 },
  batchSize: 128,
  samples: WHOLE,
  parameters: 3_274_634,
  tiers: {
    full: {
      epochs: 100,
      searchSeeds: 1,
      finalSeeds: 10,
      optimizers: ['adal', 'adal-practical', 'adam', 'sgd-momentum'],
    },
  },
  references: [
    {
      optimizer: 'adam',
      options: { lr: 2.51e-4 },
      value: 0.9234,
      spread: 0.0029,
      seeds: 10,
      kind: 'published',
      source: 'DeepOBS baselines, fmnist_2c2d (Schneider et al. 2019)',
    },
  ],
  prepare: (data) =>
    prepare(data, WHOLE, {
      inputShape: [28, 28, 1],
      layers: [...convolve(32, 5), ...convolve(64, 5), flatten(), dense(1024), relu(), dense(10)],
      batchSize: 128,
      trainEvaluationCount: 2000,
      initialise: initialiseAsDeepObs,
    }),
};
