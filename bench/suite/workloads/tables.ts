/** W2: three small tables from UCI, and a network of 16 hidden units. */
import { parseCsv, standardize, trainTestSplit } from 'adal-wasm/data';
import { dense, relu } from 'adal-wasm/nn';
import { loadText } from '../data';
import { createNetworkProblem } from '../problems/network';
import type { Workload } from '../types';

const BATCH = 16;

interface Table {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly count: number;
  readonly features: number;
  readonly classes: number;
}

const TABLES: readonly Table[] = [
  { name: 'iris', title: 'Iris', file: 'iris.csv', count: 150, features: 4, classes: 3 },
  { name: 'wine', title: 'Wine', file: 'wine_data.csv', count: 178, features: 13, classes: 3 },
  {
    name: 'breast-cancer',
    title: 'Breast cancer (Wisconsin)',
    file: 'breast_cancer.csv',
    count: 569,
    features: 30,
    classes: 2,
  },
];

const HELD_OUT = 0.25;

function workloadOf({ name, title, file, count, features, classes }: Table): Workload {
  const validation = Math.floor(count * HELD_OUT + 0.5);
  return {
    id: `W2-${name}`,
    group: 'W2',
    version: 1,
    title: `${title}, MLP ${features}-16-${classes}`,
    ranked: true,
    metric: {
      name: 'training loss',
      field: 'trainLoss',
      direction: 'lower',
      scale: 'log',
      unit: 'nats',
    },
    target: { field: 'trainLoss', value: 0.05 },
    selectBy: { field: 'validationLoss', direction: 'lower' },
    batchSize: BATCH,
    samples: { train: count - validation, validation, test: 0 },
    parameters: 16 * (features + 1) + classes * 17,
    tiers: {
      smoke: {
        epochs: 5,
        searchSeeds: 1,
        finalSeeds: 2,
        optimizers: ['adal', 'adam', 'sgd-momentum'],
      },
      standard: { epochs: 40, searchSeeds: 3, finalSeeds: 30 },
      full: { epochs: 100, searchSeeds: 3, finalSeeds: 30 },
    },
    attribution: `${title}, UCI Machine Learning Repository, CC BY 4.0`,
    references: [],
    async prepare(data) {
      // The first line tells counts and class names.
      const text = (await loadText(data, file)).split('\n').slice(1).join('\n');
      const table = parseCsv(text, { target: -1, header: false, name });
      return {
        create(runtime, seed) {
          const parts = trainTestSplit(table, { seed, testFraction: HELD_OUT });
          const { train, test } = standardize(parts.train, parts.test);
          const layers = [dense(16), relu(), dense(classes)];
          const settings = { inputShape: [features], layers, batchSize: BATCH };
          return createNetworkProblem(
            runtime,
            seed,
            { train, validation: test, test: null },
            settings,
          );
        },
      };
    },
  };
}

export const tables: readonly Workload[] = TABLES.map(workloadOf);
