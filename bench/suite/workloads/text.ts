/**
 * W7: predicts the next character of a novel from the eight before it. The last tenths of the text
 * are held out.
 */
import { characterVocabulary, textWindows } from 'adal-wasm/data';
import { dense, embedding, flatten, relu } from 'adal-wasm/nn';
import { type DataSource, loadText } from '../data';
import { HEADLINE } from '../optimizers';
import { createNetworkProblem } from '../problems/network';
import type { PreparedWorkload, Reference, Workload } from '../types';

const CONTEXT = 8;
const CHARACTERS = 131_072;
const HELD_OUT = 13_107;
const VOCABULARY = 74;
const BATCH = 128;

async function prepare(data: DataSource, trainCharacters: number): Promise<PreparedWorkload> {
  const text = await loadText(data, 'pride-and-prejudice.txt');
  const vocabulary = characterVocabulary(text);
  const part = (from: number, to: number, name: string) =>
    textWindows(text.slice(from, to), { context: CONTEXT, vocabulary, name });
  const [endOfTrain, endOfValidation] = [CHARACTERS - 2 * HELD_OUT, CHARACTERS - HELD_OUT];
  const parts = {
    train: part(0, Math.min(trainCharacters, endOfTrain), 'train'),
    validation: part(endOfTrain, endOfValidation, 'validation'),
    test: part(endOfValidation, CHARACTERS, 'test'),
  };
  const layers = [embedding(VOCABULARY, 16), flatten(), dense(128), relu(), dense(VOCABULARY)];
  const settings = { inputShape: [CONTEXT], layers, batchSize: BATCH, trainEvaluationCount: 4000 };
  return { create: (runtime, seed) => createNetworkProblem(runtime, seed, parts, settings) };
}

const HELD_OUT_WINDOWS = HELD_OUT - CONTEXT;
const TRAIN = CHARACTERS - 2 * HELD_OUT - CONTEXT;
const SMALL_TRAIN = 32_768;

/** What counting gives: `ngramLosses` of orders 1 to 5 on the test part. */
function counted(losses: readonly number[]): Reference[] {
  return losses.map((value, index) => {
    const source = `counts of ${index + 1} characters in a row (Witten and Bell 1991)`;
    return {
      optimizer: null,
      options: { order: index + 1 },
      value,
      spread: null,
      seeds: null,
      kind: 'measured',
      source,
    };
  });
}

const common = {
  group: 'W7',
  version: 1,
  ranked: true,
  metric: {
    name: 'test loss',
    field: 'testLoss',
    direction: 'lower',
    scale: 'linear',
    unit: 'nats a character',
  },
  selectBy: { field: 'validationLoss', direction: 'lower' },
  batchSize: BATCH,
  parameters: 27_242,
  attribution: 'Jane Austen, Pride and Prejudice (1813), public domain',
} as const;

export const textSmall: Workload = {
  ...common,
  id: 'W7-small',
  title: 'Next character of a novel, a quarter of the text',
  samples: { train: SMALL_TRAIN - CONTEXT, validation: HELD_OUT_WINDOWS, test: HELD_OUT_WINDOWS },
  target: { field: 'validationLoss', value: 2.4 },
  tiers: {
    standard: {
      epochs: 2,
      searchSeeds: 2,
      finalSeeds: 10,
      optimizers: HEADLINE,
      schedules: ['cosine', 'inverse-sqrt'],
      evaluations: 25,
    },
  },
  references: counted([3.0882, 2.4417, 1.9893, 1.7674, 1.7696]),
  prepare: (data) => prepare(data, SMALL_TRAIN),
};

export const text: Workload = {
  ...common,
  id: 'W7',
  title: 'Next character of a novel, MLP of 8 characters',
  samples: { train: TRAIN, validation: HELD_OUT_WINDOWS, test: HELD_OUT_WINDOWS },
  target: { field: 'validationLoss', value: 2.1 },
  tiers: { full: { epochs: 10, searchSeeds: 3, finalSeeds: 20 } },
  references: counted([3.0865, 2.4291, 1.9215, 1.5894, 1.505]),
  prepare: (data) => prepare(data, CHARACTERS),
};
