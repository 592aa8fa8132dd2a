/** Examples by what `--data` says, split and scaled, ready to train on. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import {
  characterVocabulary,
  type Dataset,
  loadDigits,
  loadIdxFolder,
  ngramLosses,
  parseCsv,
  standardize,
  textWindows,
  trainTestSplit,
} from '../data';
import { DataError } from '../index';
import { CHARLM_CONTEXT } from './build-model';
import { readText } from './files';
import { classesOf, isOnClasses, type ModelSpec } from './model-spec';
import type { DataSource } from './options';
import { formatCount } from './report';

/** A part of the data. Models that learn values take the targets, others the labels. */
export type Part = Dataset & { readonly targets?: Float32Array };

/** Both parts, and how they came to be. */
export interface LoadedData {
  /** A short name, also of run folders. */
  readonly name: string;
  readonly kind: DataSource['kind'];
  readonly train: Part;
  readonly test: Part;
  /** What was done to each feature: x became (x - mean)/scale; null for nothing. */
  readonly standardized: { readonly mean: number[]; readonly scale: number[] } | null;
  /** Of text: test losses of the 1-gram, the 2-gram, … in nats, for comparison; null of other data. */
  readonly ngramLosses: readonly number[] | null;
}

export interface LoadOptions {
  readonly target?: string | number;
  readonly testFraction?: number;
  readonly seed: number;
  /** What is to learn: some data depend on it. */
  readonly model: ModelSpec;
}

/** Examples of text take 4·context bytes a character: this bounds them to half a gigabyte for charlm. */
const MAX_TEXT_FEATURES = 2 ** 27;
/** Of a character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** Of text, whose parts are as they stand. */
const TEXT_TEST_FRACTION = 0.1;
/** Of the n-grams that a language model is compared with. */
const MAX_ORDER = 5;

/**
 * Loads a data set. CSV features are standardised by the training split's statistics; digits and idx data are in [0, 1] already.
 * @throws DataError, or a file error with its path
 */
export function loadData(source: DataSource, options: LoadOptions): LoadedData {
  const { seed, testFraction } = options;
  switch (source.kind) {
    case 'digits':
      refuseValues(options.model, 'digits');
      return {
        name: 'digits',
        kind: 'digits',
        ...trainTestSplit(loadDigits(), { seed, testFraction }),
        standardized: null,
        ngramLosses: null,
      };
    case 'idx':
      refuseValues(options.model, 'idx data');
      return loadIdx(source.path, options);
    case 'csv':
      return loadCsv(source.path, options);
    case 'text':
      refuseValues(options.model, 'text');
      return loadTextWindows(source.path, options);
  }
}

function refuseValues(model: ModelSpec, name: string): void {
  if (isOnClasses(model) || model.kind !== 'definition') return;
  throw new DataError(`${model.source}: expected the loss crossEntropy with ${name}, got ${model.definition.loss.kind}`);
}

function loadIdx(path: string, { model }: LoadOptions): LoadedData {
  if (!statSync(path).isDirectory()) throw new DataError(`${path}: expected a folder of idx files, got a file`);
  const parts = loadIdxFolder(path, { classCount: classesOf(model) });
  return { name: basename(resolve(path)), kind: 'idx', ...parts, standardized: null, ngramLosses: null };
}

function loadCsv(path: string, { target, testFraction, seed, model }: LoadOptions): LoadedData {
  const dataset = parseCsv(readText(path, 'a csv file'), { target: target!, name: path });
  const values = isOnClasses(model) ? null : targetValues(dataset, path);
  const parts = trainTestSplit(dataset, { seed, testFraction });
  const { train, test, mean, scale } = standardize(parts.train, parts.test);
  const withTargets = (part: Dataset): Part =>
    values ? { ...part, targets: Float32Array.from(part.labels, (label) => values[label]) } : part;
  const standardized = { mean: [...mean], scale: [...scale] };
  return {
    name: basename(path, extname(path)),
    kind: 'csv',
    train: withTargets(train),
    test: withTargets(test),
    standardized,
    ngramLosses: null,
  };
}

/** The number that each distinct label is. */
function targetValues({ classNames }: Dataset, path: string): number[] {
  return classNames!.map((text) => {
    const value = Number(text);
    if (!Number.isFinite(Math.fround(value))) {
      throw new DataError(`${path}: expected numbers in the target column, for a loss on values, got ${JSON.stringify(text)}`);
    }
    return value;
  });
}

/** The first part of a text to train on, the rest to test. */
function loadTextWindows(path: string, { testFraction = TEXT_TEST_FRACTION, model }: LoadOptions): LoadedData {
  const context = model.kind === 'definition' ? model.definition.inputShape[0] : CHARLM_CONTEXT;
  const most = Math.floor(MAX_TEXT_FEATURES / context);
  const text = readText(path, `a text of at most ${formatCount(most)} characters`, MAX_CHARACTER_BYTES * most);
  const count = countCharacters(text);
  if (count > most) {
    throw new DataError(`${path}: expected at most ${formatCount(most)} characters, got ${formatCount(count)}`);
  }
  const vocabulary = characterVocabulary(text);
  if (vocabulary.length < 2) throw new DataError(`${path}: expected at least 2 different characters, got ${vocabulary.length}`);
  const cut = indexOfCharacter(text, count - Math.floor(count * testFraction + 0.5));
  const part = (piece: string) => textWindows(piece, { context, vocabulary, name: path });
  const [train, test] = [part(text.slice(0, cut)), part(text.slice(cut))];
  const losses = ngramLosses(train, test, highestOrder(train));
  return { name: basename(path, extname(path)), kind: 'text', train, test, standardized: null, ngramLosses: losses };
}

/** How many code points there are. */
function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}

/** Where in the text the code point of that number begins. */
function indexOfCharacter(text: string, number: number): number {
  let at = 0;
  for (let count = 0; count < number; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** Of n-grams that can be counted exactly in so large a vocabulary, and that the context holds. */
function highestOrder({ featureCount, classCount }: Dataset): number {
  let order = 1;
  while (order < MAX_ORDER && order <= featureCount && classCount ** (order + 1) <= 2 ** 53) order++;
  return order;
}

/** SHA-256 over the bytes of all examples: equal hashes mean equal runs. */
export function hashOfData({ train, test }: LoadedData): string {
  const hash = createHash('sha256');
  for (const { features, labels, targets } of [train, test]) {
    for (const { buffer, byteOffset, byteLength } of targets ? [features, targets] : [features, labels])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
