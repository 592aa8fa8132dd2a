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
  type RegressionDataset,
  standardize,
  textWindows,
  trainTestSplit,
} from '../data';
import { csvRecords } from '../data/csv-records';
import { DataError } from '../index';
import { UsageError } from './errors';
import { readText } from './files';
import { formatCount } from './format';
import { CHARLM_CONTEXT, classesOf, isOnClasses, type ModelSpec } from './model-spec';
import { type DataSource, formatData, type Task } from './options';
import { quote } from './printable';

/** A part of the data: labelled, or with values to learn. */
export type Part = Dataset | RegressionDataset;

/** Names that a model was trained with: data that it goes on with must have the same. */
export interface DataNames {
  readonly classNames?: readonly string[];
  readonly columns?: readonly string[];
}

/** Both parts, and how they came to be. */
export interface LoadedData extends DataNames {
  /** A short name, also of run folders. */
  readonly name: string;
  readonly kind: DataSource['kind'];
  readonly train: Part;
  readonly test: Part;
  /** Null where values are learnt. */
  readonly classCount: number | null;
  /** Of csv data: whether the first record names the columns; null of other data. */
  readonly header: boolean | null;
  /** What was done to each feature: x became (x - mean)/scale; null for nothing. */
  readonly standardized: { readonly mean: number[]; readonly scale: number[] } | null;
  /** What was done to the target, likewise. */
  readonly standardizedTarget: { readonly mean: number; readonly scale: number } | null;
  /**
   * Of text: test losses of the 1-gram, the 2-gram, … in nats, for comparison; null of other data.
   */
  readonly ngramLosses: readonly number[] | null;
}

export interface LoadOptions {
  readonly target?: string;
  /** @default 'auto' */
  readonly header?: 'auto' | boolean;
  /** @default what the model learns; many different numbers are refused as classes then */
  readonly task?: Task;
  readonly testFraction?: number;
  readonly seed: number;
  /** What is to learn: some data depend on it. */
  readonly model: ModelSpec;
  /** Of the checkpoint that a run goes on from. */
  readonly names?: DataNames;
}

/**
 * Examples of text take 4·context bytes a character: this bounds them to half a gigabyte for
 * charlm.
 */
const MAX_TEXT_FEATURES = 2 ** 27;
/** Of a character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** Of text, whose parts are as they stand. */
const TEXT_TEST_FRACTION = 0.1;
/** Of the n-grams that a language model is compared with. */
const MAX_ORDER = 5;

/**
 * Loads a data set. CSV features are standardised by the training split's statistics; digits and
 * idx data are in [0, 1] already.
 * @throws UsageError or DataError for data that cannot be learnt as asked for, or that have other
 * names than
 *   `options.names`; file errors with the path
 */
export function loadData(source: DataSource, options: LoadOptions): LoadedData {
  const data = load(source, options);
  checkNames(formatData(source), data, options.names ?? {});
  checkVariety(data);
  return data;
}

/** What most data are: classes, by no names, as they stand. */
const PLAIN = { header: null, standardized: null, standardizedTarget: null, ngramLosses: null };

function load(source: DataSource, options: LoadOptions): LoadedData {
  const { model, seed, testFraction } = options;
  switch (source.kind) {
    case 'digits': {
      refuseValues(model, 'digits');
      return {
        ...PLAIN,
        ...classesIn(trainTestSplit(loadDigits(), { seed, testFraction })),
        name: 'digits',
        kind: 'digits',
      };
    }
    case 'idx':
      refuseValues(model, 'idx data');
      return loadIdx(source.path, options);
    case 'csv':
      return loadCsv(source.path, options);
    case 'text':
      refuseValues(model, 'text');
      return loadTextWindows(source.path, options);
  }
}

/** Both parts, with the classes that they share. */
function classesIn({ train, test }: { train: Dataset; test: Dataset }) {
  return {
    train,
    test,
    classCount: train.classCount,
    classNames: train.classNames,
    columns: train.columns,
  };
}

function refuseValues(model: ModelSpec, name: string): void {
  if (isOnClasses(model) || model.kind !== 'definition') return;
  throw new DataError(
    `${model.source}: expected the loss crossEntropy with ${name}, got ${model.definition.loss.kind}`,
  );
}

/** Equal numbers mean something else where the classes or the features are called otherwise. */
function checkNames(source: string, data: LoadedData, names: DataNames): void {
  for (const [key, what] of [
    ['classNames', 'classes'],
    ['columns', 'columns'],
  ] as const) {
    const [expected, got] = [names[key], data[key]];
    if (!expected || !got) continue;
    if (expected.length !== got.length) {
      throw new DataError(
        `${source}: expected the ${expected.length} ${what} of the checkpoint, got ${got.length}`,
      );
    }
    const index = expected.findIndex((name, at) => name !== got[at]);
    if (index < 0) continue;
    const [old, other] = [quote(expected[index]), quote(got[index])];
    throw new DataError(
      `${source}: expected the ${what} of the checkpoint, number ${index + 1} of them ${old}, got ${other}`,
    );
  }
}

/** From examples that are all of one class, or of one value, there is nothing to learn. */
function checkVariety({ name, train }: LoadedData): void {
  const answers = 'labels' in train ? train.labels : train.targets;
  if (answers.some((answer) => answer !== answers[0])) return;
  const [expected, got] =
    'labels' in train ? ['2 classes', 'one class'] : ['2 different values', 'one value'];
  throw new DataError(
    `${name}: expected training examples of at least ${expected}, got ${got} only`,
  );
}

function loadIdx(path: string, { model }: LoadOptions): LoadedData {
  if (!statSync(path).isDirectory())
    throw new DataError(`${path}: expected a folder of idx files, got a file`);
  const parts = loadIdxFolder(path, { classCount: classesOf(model) });
  return { ...PLAIN, ...classesIn(parts), name: basename(resolve(path)), kind: 'idx' };
}

function loadCsv(path: string, options: LoadOptions): LoadedData {
  const { testFraction, seed, model, task } = options;
  const table = readCsv(path, options);
  const common = {
    ...PLAIN,
    name: basename(path, extname(path)),
    kind: 'csv',
    header: table.columns !== undefined,
    columns: table.columns,
  } as const;
  const format = ({ mean, scale }: { mean: Float64Array; scale: Float64Array }) => ({
    mean: [...mean],
    scale: [...scale],
  });
  if ('labels' in table) {
    if (task === undefined) refuseManyClasses(table);
    const parts = trainTestSplit(table, { seed, testFraction });
    const standard = standardize(parts.train, parts.test);
    return { ...common, ...classesIn(standard), standardized: format(standard) };
  }
  const parts = trainTestSplit(table, { seed, testFraction });
  const standard = standardize(parts.train, parts.test);
  const { train, test } = standard;
  const values = { ...common, train, test, classCount: null, standardized: format(standard) };
  // Of models written as JSON the loss decides what the targets are, such as 0 and 1.
  return model.kind === 'definition' ? values : { ...values, ...standardizeTargets(train, test) };
}

/** Reads the file by names and task; what was left to be found out is checked. */
function readCsv(path: string, { target, header = 'auto', task, model, names }: LoadOptions): Part {
  const text = readText(path, 'a csv file');
  const choice = chooseTarget(text, target!, header, path);
  const isOnValues = task === 'regression' || !isOnClasses(model);
  try {
    const format = {
      target: choice.column,
      header,
      name: path,
      ...(names?.columns && { columns: names.columns }),
    };
    const table = isOnValues
      ? parseCsv(text, { ...format, task: 'regression' })
      : parseCsv(text, { ...format, ...(names?.classNames && { classNames: names.classNames }) });
    choice.check(table.columns !== undefined);
    return table;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const message = error.message
      .replace('set the option "header" to true or to false', 'say --header true or --header false')
      .replace("task: 'regression' learns numbers", '--task regression learns numbers');
    throw message === error.message ? error : new DataError(message, { cause: error });
  }
}

/** The column that `--target` means. */
interface TargetChoice {
  readonly column: string | number;
  /** Throws when the text of `--target` means something else, now that the header is known. */
  check(hasHeader: boolean): void;
}

/** A name, or an index; digits may be either. */
function chooseTarget(
  text: string,
  target: string,
  header: 'auto' | boolean,
  path: string,
): TargetChoice {
  const settled = (column: string | number) => ({ column, check: () => {} });
  if (!/^-?\d+$/.test(target)) return settled(target);
  const first = firstRecord(text, path);
  const count = first.length;
  const named = first.indexOf(target);
  const index = Number(target);
  const isIndex = index >= -count && index < count;
  if (header === true && named >= 0) return settled(target);
  const expected = `the name of a column, or an index in [${-count}, ${count - 1}]`;
  if (!isIndex && (named < 0 || header === false))
    throw new UsageError('--target', expected, target);
  const isBoth = isIndex && named === (index < 0 ? index + count : index);
  if (header !== 'auto' || named < 0 || isBoth) return settled(index);
  // The first record holds these digits, but whether it names the columns is not known yet.
  const check = (hasHeader: boolean) => {
    if (isIndex && hasHeader) {
      const other = index < 0 ? index + count : index - count;
      const advice = `--header true takes the name, and --target ${other} the index`;
      throw new UsageError(
        '--target',
        'one column',
        `${target}, the name of one and the index of another: ${advice}`,
      );
    }
    if (isIndex || hasHeader) return;
    throw new UsageError(
      '--target',
      expected,
      `${target}: with --header true the first record has names`,
    );
  };
  return { column: isIndex ? index : named, check };
}

function firstRecord(text: string, path: string): string[] {
  for (const { fields } of csvRecords(text, ',', path, () => Number.POSITIVE_INFINITY))
    return fields.map((field) => field.trim());
  return [];
}

/** More different numbers than this are measurements, not classes. */
const MAX_NUMERIC_CLASSES = 100;
/**
 * With fewer examples a class than this, numbers are measurements as well, and texts are names of
 * the examples.
 */
const FEW_EXAMPLES = { numbers: 4, texts: 2 };
/** Of classes that are few, anything may be a class. */
const FEW_CLASSES = 20;

/** @throws UsageError unless the labels look like classes, of which each has some examples */
function refuseManyClasses({ classNames, classCount, count }: Dataset): void {
  const areNumbers = classNames!.every((name) => Number.isFinite(Number(name)));
  const few =
    classCount <= FEW_CLASSES ||
    classCount * (areNumbers ? FEW_EXAMPLES.numbers : FEW_EXAMPLES.texts) <= count;
  if (few && !(areNumbers && classCount > MAX_NUMERIC_CLASSES)) return;
  const insist = `classification (to insist on ${formatCount(classCount)} classes)`;
  const choice = areNumbers ? `regression (to learn numbers) or ${insist}` : insist;
  const size = `${formatCount(classCount)} different ${areNumbers ? 'numbers' : 'labels'} in ${formatCount(count)} examples`;
  throw new UsageError('--task', `${choice}, as the target column has ${size}`, 'nothing');
}

/**
 * Brings targets to mean 0 and variance 1 over the training part: a loss of 1 is that of always
 * telling the mean.
 */
function standardizeTargets(train: RegressionDataset, test: RegressionDataset) {
  const mean = train.targets.reduce((sum, y) => sum + y, 0) / train.count;
  const scale =
    Math.sqrt(train.targets.reduce((sum, y) => sum + (y - mean) ** 2, 0) / train.count) || 1;
  const apply = (part: RegressionDataset): RegressionDataset => ({
    ...part,
    targets: part.targets.map((y) => (y - mean) / scale),
  });
  return { train: apply(train), test: apply(test), standardizedTarget: { mean, scale } };
}

/** The first part of a text to train on, the rest to test. */
function loadTextWindows(
  path: string,
  { testFraction = TEXT_TEST_FRACTION, model }: LoadOptions,
): LoadedData {
  const context = model.kind === 'definition' ? model.definition.inputShape[0] : CHARLM_CONTEXT;
  const most = Math.floor(MAX_TEXT_FEATURES / context);
  const text = readText(
    path,
    `a text of at most ${formatCount(most)} characters`,
    MAX_CHARACTER_BYTES * most,
  );
  const count = countCharacters(text);
  if (count > most) {
    throw new DataError(
      `${path}: expected at most ${formatCount(most)} characters, got ${formatCount(count)}`,
    );
  }
  const vocabulary = characterVocabulary(text);
  if (vocabulary.length < 2)
    throw new DataError(
      `${path}: expected at least 2 different characters, got ${vocabulary.length}`,
    );
  const cut = indexOfCharacter(text, count - Math.floor(count * testFraction + 0.5));
  const part = (piece: string) => textWindows(piece, { context, vocabulary, name: path });
  const [train, test] = [part(text.slice(0, cut)), part(text.slice(cut))];
  const losses = ngramLosses(train, test, highestOrder(train));
  const name = basename(path, extname(path));
  return { ...PLAIN, ...classesIn({ train, test }), name, kind: 'text', ngramLosses: losses };
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
  while (order < MAX_ORDER && order <= featureCount && classCount ** (order + 1) <= 2 ** 53)
    order++;
  return order;
}

/** SHA-256 over the bytes of all examples: equal hashes mean equal runs. */
export function hashOfData({ train, test }: LoadedData): string {
  const hash = createHash('sha256');
  for (const part of [train, test]) {
    for (const { buffer, byteOffset, byteLength } of [
      part.features,
      'labels' in part ? part.labels : part.targets,
    ]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex');
}
