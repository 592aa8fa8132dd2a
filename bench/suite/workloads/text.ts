/** W7: the next character of a novel from the eight before it. The text's last tenths, in order, are held out. */
import type { Dataset } from '../../../src/data/dataset';
import { dense, embedding, flatten, relu } from '../../../src/nn';
import { type DataSource, loadText } from '../data';
import { HEADLINE } from '../optimizers';
import { createNetworkProblem } from '../problems/network';
import type { PreparedWorkload, Workload } from '../types';

const CONTEXT = 8;
const CHARACTERS = 131_072;
const HELD_OUT = 13_107;
const VOCABULARY = 74;
const BATCH = 128;

/** Windows that begin in [from, to). */
function windows(codes: Uint8Array, from: number, to: number, name: string): Dataset {
  const count = to - from - CONTEXT;
  const features = new Float32Array(count * CONTEXT);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < CONTEXT; j++) features[i * CONTEXT + j] = codes[from + i + j];
    labels[i] = codes[from + i + CONTEXT];
  }
  return { name, features, labels, count, featureCount: CONTEXT, classCount: VOCABULARY };
}

async function prepare(data: DataSource, trainCharacters: number): Promise<PreparedWorkload> {
  const text = await loadText(data, 'pride-and-prejudice.txt');
  const characters = [...new Set(text)].sort();
  const codes = Uint8Array.from(text, (character) => characters.indexOf(character));
  const [endOfTrain, endOfValidation] = [CHARACTERS - 2 * HELD_OUT, CHARACTERS - HELD_OUT];
  const parts = {
    train: windows(codes, 0, Math.min(trainCharacters, endOfTrain), 'train'),
    validation: windows(codes, endOfTrain, endOfValidation, 'validation'),
    test: windows(codes, endOfValidation, CHARACTERS, 'test'),
  };
  const layers = [embedding(VOCABULARY, 16), flatten(), dense(128), relu(), dense(VOCABULARY)];
  const settings = { inputShape: [CONTEXT], layers, batchSize: BATCH, trainEvaluationCount: 4000 };
  return { create: (runtime, seed) => createNetworkProblem(runtime, seed, parts, settings) };
}

const HELD_OUT_WINDOWS = HELD_OUT - CONTEXT;
const TRAIN = CHARACTERS - 2 * HELD_OUT - CONTEXT;
const SMALL_TRAIN = 32_768;

const common = {
  group: 'W7',
  version: 1,
  ranked: true,
  metric: { name: 'test loss', field: 'testLoss', direction: 'lower', scale: 'linear', unit: 'nats a character' },
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
  tiers: { standard: { epochs: 2, searchSeeds: 2, finalSeeds: 5, optimizers: HEADLINE, schedules: ['cosine', 'inverse-sqrt'] } },
  references: [],
  prepare: (data) => prepare(data, SMALL_TRAIN),
};

export const text: Workload = {
  ...common,
  id: 'W7',
  title: 'Next character of a novel, MLP of 8 characters',
  samples: { train: TRAIN, validation: HELD_OUT_WINDOWS, test: HELD_OUT_WINDOWS },
  target: { field: 'validationLoss', value: 2.1 },
  tiers: { full: { epochs: 10, searchSeeds: 3, finalSeeds: 20 } },
  references: [],
  prepare: (data) => prepare(data, CHARACTERS),
};
