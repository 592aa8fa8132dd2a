/** Loading of the data that `--data` names, split and scaled for training. */
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
import { countCharacters, splitCharacters } from '../data/text';
import { DataError } from '../index';
import { describeModel } from '../nn';
import { UsageError } from './errors';
import { readText } from './files';
import { formatCount } from './format';
import { CHARLM_CONTEXT, classesOf, isOnClasses, type ModelSpec } from './model-spec';
import { type DataSource, formatData, type Task } from './options';
import { quote } from './printable';

/** The training or the test examples. */
export type Part = Dataset | RegressionDataset;

/** Names of classes and columns. A resumed run needs data with the same names. */
export interface DataNames {
  readonly classNames?: readonly string[];
  readonly columns?: readonly string[];
}

/** Training and test examples, and how they were prepared. */
export interface LoadedData extends DataNames {
  /** Short name, also used for run folders. */
  readonly name: string;
  readonly kind: DataSource['kind'];
  readonly train: Part;
  readonly test: Part;
  /** Number of classes; null for regression. */
  readonly classCount: number | null;
  /** Whether the first record of csv data names the columns; null for other data. */
  readonly header: boolean | null;
  /** Scaling of each feature: x became (x - mean)/scale; null without scaling. */
  readonly standardized: { readonly mean: number[]; readonly scale: number[] } | null;
  /** Scaling of the target, likewise. */
  readonly standardizedTarget: { readonly mean: number; readonly scale: number } | null;
  /** Test losses of the 1-gram, the 2-gram, … in nats, for comparison; null unless it is text. */
  readonly ngramLosses: readonly number[] | null;
}

export interface LoadOptions {
  readonly target?: string;
  /** @default 'auto' */
  readonly header?: 'auto' | boolean;
  /** @default what the model learns; many distinct numbers are then refused as classes */
  readonly task?: Task;
  readonly testFraction?: number;
  readonly seed: number;
  /** The model; some data depend on it. */
  readonly model: ModelSpec;
  /** Names of the checkpoint from which a run resumes. */
  readonly names?: DataNames;
}

/** The most features of text: half a gigabyte. Each character takes 4·context bytes. */
const MAX_TEXT_FEATURES = 2 ** 27;
/** The most bytes of a character in UTF-8. */
const MAX_CHARACTER_BYTES = 4;
/** Test fraction of text, which is split in order. */
const TEXT_TEST_FRACTION = 0.1;
/** The highest order of the n-grams with which a language model is compared. */
const MAX_ORDER = 5;

/**
 * Loads a dataset. CSV features are standardised by the statistics of the training examples; digits
 * and idx data are already in [0, 1].
 *
 * @throws UsageError or DataError for data that do not fit the options, or whose names differ from
 *   `options.names`; file errors with the path
 */
export function loadData(source: DataSource, options: LoadOptions): LoadedData {
  const data = load(source, options);
  checkNames(formatData(source), data, options.names ?? {});
  checkVariety(data);
  return data;
}

/** Defaults of most data: no header, no scaling, no n-grams. */
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

/** Returns both parts and the classes they share. */
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
  const { kind } = model.definition.loss;
  throw new DataError(`${model.source}: expected the loss crossEntropy with ${name}, got ${kind}`);
}

/** Checks names: with other names, equal numbers have other meanings. */
function checkNames(source: string, data: LoadedData, names: DataNames): void {
  for (const [key, what] of [
    ['classNames', 'classes'],
    ['columns', 'columns'],
  ] as const) {
    const [expected, got] = [names[key], data[key]];
    if (!expected || !got) continue;
    if (expected.length !== got.length) {
      const count = `${expected.length} ${what}`;
      throw new DataError(`${source}: expected ${count}, as in the checkpoint, got ${got.length}`);
    }
    const index = expected.findIndex((name, at) => name !== got[at]);
    if (index < 0) continue;
    const [old, other] = [quote(expected[index]), quote(got[index])];
    throw new DataError(
      `${source}: expected the ${what} of the checkpoint, ${old} at position ${index + 1}, ` +
        `got ${other}`,
    );
  }
}

/** Checks that there are at least two classes or values to learn. */
function checkVariety({ name, train }: LoadedData): void {
  const answers = 'labels' in train ? train.labels : train.targets;
  if (answers.some((answer) => answer !== answers[0])) return;
  const [expected, got] =
    'labels' in train ? ['2 classes', 'one class'] : ['2 different values', 'one value'];
  throw new DataError(`${name}: expected training examples of at least ${expected}, got ${got}`);
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
  // In a JSON model the loss decides what the targets are, such as 0 and 1.
  return model.kind === 'definition' ? values : { ...values, ...standardizeTargets(train, test) };
}

/** Reads the file, and checks what `--target` means once the header is known. */
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
      .replace('set the option "header" to true or to false', 'use --header true or --header false')
      .replace("task: 'regression' learns numbers", '--task regression learns numbers');
    throw message === error.message ? error : new DataError(message, { cause: error });
  }
}

/** The column that `--target` means. */
interface TargetChoice {
  readonly column: string | number;
  /** Throws if `--target` means something else now that the header is known. */
  check(hasHeader: boolean): void;
}

/** Decides whether `--target` is a name or an index; digits may be either. */
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
  // The first record contains these digits, but it is not known yet whether it is a header.
  const check = (hasHeader: boolean) => {
    if (isIndex && hasHeader) {
      const other = index < 0 ? index + count : index - count;
      const advice = `use --header true for the name, or --target ${other} for the index`;
      throw new UsageError(
        '--target',
        'one column',
        `${target}, which is the name of one and the index of another: ${advice}`,
      );
    }
    if (isIndex || hasHeader) return;
    throw new UsageError(
      '--target',
      expected,
      `${target} (with --header true the first record names the columns)`,
    );
  };
  return { column: isIndex ? index : named, check };
}

function firstRecord(text: string, path: string): string[] {
  for (const { fields } of csvRecords(text, ',', path, () => Number.POSITIVE_INFINITY))
    return fields.map((field) => field.trim());
  return [];
}

/** More distinct numbers than this are measurements, not classes. */
const MAX_NUMERIC_CLASSES = 100;
/**
 * With fewer examples per class than this, numbers are measurements too, and texts are names of the
 * examples.
 */
const FEW_EXAMPLES = { numbers: 4, texts: 2 };
/** Up to this number of distinct values, any value may be a class. */
const FEW_CLASSES = 20;

/** Throws a UsageError unless the labels look like classes with several examples each. */
function refuseManyClasses({ classNames, classCount, count }: Dataset): void {
  const areNumbers = classNames!.every((name) => Number.isFinite(Number(name)));
  const few =
    classCount <= FEW_CLASSES ||
    classCount * (areNumbers ? FEW_EXAMPLES.numbers : FEW_EXAMPLES.texts) <= count;
  if (few && !(areNumbers && classCount > MAX_NUMERIC_CLASSES)) return;
  const insist = `classification (to insist on ${formatCount(classCount)} classes)`;
  const choice = areNumbers ? `regression (to learn numbers) or ${insist}` : insist;
  const values = `${formatCount(classCount)} distinct ${areNumbers ? 'numbers' : 'labels'}`;
  const reason = `the target column has ${values} in ${formatCount(count)} examples`;
  throw new UsageError('--task', `${choice}, since ${reason}`, 'nothing');
}

/**
 * Scales targets to mean 0 and variance 1 over the training examples, so that always predicting the
 * mean has a loss of 1.
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

/** Loads a text and uses its beginning for training, the rest for testing. */
function loadTextWindows(
  path: string,
  { testFraction = TEXT_TEST_FRACTION, model }: LoadOptions,
): LoadedData {
  const context =
    model.kind === 'definition' ? describeModel(model.definition).inputShape[0] : CHARLM_CONTEXT;
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
      `${path}: expected at least 2 distinct characters, got ${vocabulary.length}`,
    );
  const parts = splitCharacters(text, count - Math.floor(count * testFraction + 0.5));
  const [train, test] = parts.map((part) =>
    textWindows(part, { context, vocabulary, name: path }),
  ) as [Dataset, Dataset];
  const losses = ngramLosses(train, test, highestOrder(train));
  const name = basename(path, extname(path));
  return { ...PLAIN, ...classesIn({ train, test }), name, kind: 'text', ngramLosses: losses };
}

/** Returns the highest order of n-grams that fit the context and can be counted exactly. */
function highestOrder({ featureCount, classCount }: Dataset): number {
  let order = 1;
  while (order < MAX_ORDER && order <= featureCount && classCount ** (order + 1) <= 2 ** 53)
    order++;
  return order;
}

/** Returns the SHA-256 of the bytes of all examples; equal data give equal runs. */
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
