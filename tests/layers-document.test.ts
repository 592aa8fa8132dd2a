/** docs/layers.md is complete: every kind of layer, loss, metric and initializer, every option. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Initializer, MetricName } from '../src/nn';
import LAYERS from '../src/nn/layers/list';
import LOSSES from '../src/nn/losses/list';

const TEXT = readFileSync(resolve(import.meta.dirname, '../docs/layers.md'), 'utf8');

/** The text of a section of the document, without its subsections and code blocks. */
function section(heading: string): string {
  const [, after] = TEXT.split(`\n## ${heading}\n`);
  expect(after, heading).toBeDefined();
  return after!.split('\n## ')[0]!.replace(/^```[\s\S]*?^```$/gm, '');
}

/** First cells of the rows of all tables in a text. */
const firstCells = (text: string) =>
  [...text.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell!).join('\n');

/** Families of layers with their kinds, from the table at the beginning of the document. */
const FAMILIES = [
  ...TEXT.split('\n## ')[0]!.matchAll(/^\| \[(.+?)\]\(#.+?\) \| (.+?) \| (.+?) \|$/gm),
].map(([, heading, kinds, elsewhere]) => ({
  heading: heading!,
  kinds: [...kinds!.matchAll(/`(\w+)`/g)].map(([, kind]) => kind!),
  elsewhere: elsewhere!,
}));

describe('layers', () => {
  it('are all in the table of families, once', () => {
    const kinds = FAMILIES.flatMap((family) => family.kinds);
    expect(kinds.sort()).toEqual(Object.keys(LAYERS).sort());
  });

  it.each(FAMILIES)('$heading: the section has a row for each, with all options', (family) => {
    const text = section(family.heading);
    for (const kind of family.kinds) {
      expect(firstCells(text), kind).toContain(`\`${kind}(`);
      const { fields } = LAYERS[kind as keyof typeof LAYERS];
      for (const field of fields) expect(text, `${kind}: ${field}`).toMatch(word(field));
    }
  });

  it('can be found by the names of Keras', () => {
    const names = FAMILIES.map(({ elsewhere }) => elsewhere).join(', ');
    for (const name of KERAS_NAMES) expect(names).toMatch(word(name));
  });
});

const word = (name: string) => new RegExp(`(?<!\\w)${name}(?!\\w)`);

const KERAS_NAMES = [
  ...['Dense', 'Activation', 'Embedding', 'Flatten', 'Reshape', 'RepeatVector', 'Dropout'],
  ...['Conv1D', 'Conv2D', 'Conv2DTranspose', 'DepthwiseConv2D', 'SeparableConv2D'],
  ...['MaxPooling1D', 'MaxPooling2D', 'AveragePooling1D', 'AveragePooling2D', 'UpSampling2D'],
  ...['GlobalAveragePooling1D', 'GlobalAveragePooling2D', 'GlobalMaxPooling1D'],
  ...['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional', 'TimeDistributed', 'MultiHeadAttention'],
  ...['BatchNormalization', 'LayerNormalization', 'Add', 'Average', 'Multiply', 'Concatenate'],
  ...['ReLU', 'LeakyReLU', 'ELU', 'Softmax'],
];

describe('losses', () => {
  it.each(Object.entries(LOSSES))('%s: a row, with all options', (kind, { fields }) => {
    const text = section('Losses');
    expect(firstCells(text)).toContain(`\`${kind}(`);
    for (const field of fields) expect(text, field).toMatch(word(field));
  });
});

/** All metrics; TypeScript refuses a table that lacks one. */
const METRICS: Record<MetricName, true> = {
  accuracy: true,
  precision: true,
  recall: true,
  f1: true,
  auc: true,
  meanAbsoluteError: true,
  rootMeanSquaredError: true,
  r2: true,
};

it.each(Object.keys(METRICS))('metrics: a row for %s', (name) => {
  expect(firstCells(section('Metrics'))).toContain(`\`${name}\``);
});

/** All initializers, likewise. */
const INITIALIZERS: Record<Extract<Initializer, string> | 'constant', true> = {
  heUniform: true,
  heNormal: true,
  glorotUniform: true,
  glorotNormal: true,
  lecunUniform: true,
  lecunNormal: true,
  varianceScaling: true,
  zeros: true,
  ones: true,
  constant: true,
  uniform: true,
  normal: true,
  truncatedNormal: true,
  orthogonal: true,
};

it.each(Object.keys(INITIALIZERS))('initial values: a row for %s', (name) => {
  expect(firstCells(section('Initial values'))).toContain(`'${name}'`);
});
