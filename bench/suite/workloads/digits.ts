/** W3: handwritten digits of 8 × 8 pixels. */
import { loadDigits, trainTestSplit } from 'adal-wasm/data';
import { dense, relu } from 'adal-wasm/nn';
import { createNetworkProblem, splitOff } from '../problems/network';
import type { Workload } from '../types';

const BATCH = 32;
const VALIDATION = 135;

export const digits: Workload = {
  id: 'W3',
  group: 'W3',
  version: 1,
  title: 'Digits 8×8, MLP 64-64-10',
  ranked: true,
  metric: {
    name: 'test accuracy',
    field: 'testMetric',
    direction: 'higher',
    scale: 'linear',
    unit: null,
  },
  target: { field: 'validationMetric', value: 0.95 },
  selectBy: { field: 'validationMetric', direction: 'higher' },
  batchSize: BATCH,
  samples: { train: 1213, validation: VALIDATION, test: 449 },
  parameters: 4810,
  tiers: {
    smoke: {
      epochs: 3,
      searchSeeds: 1,
      finalSeeds: 2,
      optimizers: ['adal', 'adam', 'sgd-momentum'],
    },
    standard: { epochs: 40, searchSeeds: 3, finalSeeds: 30, ablations: true },
    full: { epochs: 100, searchSeeds: 3, finalSeeds: 30, ablations: true },
  },
  attribution: 'Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), UCI, CC BY 4.0',
  references: [
    {
      optimizer: 'adam',
      options: { lr: 3e-3, epochs: 100 },
      value: 0.976,
      spread: 0.005,
      seeds: null,
      kind: 'measured',
      source: 'this project, before the suite',
    },
    {
      optimizer: 'sgd-momentum',
      options: { lr: 0.1, epochs: 100 },
      value: 0.977,
      spread: 0.005,
      seeds: null,
      kind: 'measured',
      source: 'this project, before the suite',
    },
  ],
  async prepare() {
    const all = loadDigits();
    return {
      create(runtime, seed) {
        const { train: rest, test } = trainTestSplit(all, { seed });
        const [train, validation] = splitOff(rest, VALIDATION);
        const layers = [dense(64), relu(), dense(10)];
        const settings = { inputShape: [64], layers, batchSize: BATCH, trainEvaluationCount: 400 };
        return createNetworkProblem(runtime, seed, { train, validation, test }, settings);
      },
    };
  },
};
