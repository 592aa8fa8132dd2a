/** Parsing of command-line values into settings. An invalid value throws a UsageError. */
import { type OptimizerName, optimizerNames, type RuntimeOptions } from '../index';
import { UsageError } from './errors';
import { isOnClasses, type ModelSpec } from './model-spec';
import { quote } from './printable';

/** Source of the examples. */
export type DataSource =
  | { readonly kind: 'digits' }
  | { readonly kind: 'idx'; readonly path: string }
  | { readonly kind: 'csv'; readonly path: string }
  | { readonly kind: 'text'; readonly path: string };

/** Kind of target: names of classes, or numbers. */
export const TASKS = ['classification', 'regression'] as const;
export type Task = (typeof TASKS)[number];

export const PRESETS = ['restated', 'practical'] as const;
export type Preset = (typeof PRESETS)[number];

const BACKENDS = ['auto', 'simd', 'threads', 'oracle'] as const;

/** Schedules that need nothing but a learning rate and the number of steps. */
const SCHEDULES = ['constant', 'linear', 'cosine', 'one-cycle', 'inverse-sqrt'] as const;
export type ScheduleChoice = (typeof SCHEDULES)[number];

/** Options whose defaults depend on others: see `settle`. */
type Derived = 'model' | 'batchSize';

/** Options of `adal train`, as parsed. */
export type TrainOptions = Omit<TrainSettings, Derived> & {
  readonly [K in Derived]: TrainSettings[K] | undefined;
};

/** All settings of a run. */
export interface TrainSettings {
  readonly data: DataSource;
  readonly target: string | undefined;
  readonly header: 'auto' | boolean;
  readonly task: Task | undefined;
  readonly testFraction: number | undefined;
  readonly model: ModelSpec;
  readonly optimizer: OptimizerName;
  readonly preset: Preset;
  readonly schedule: ScheduleChoice | undefined;
  readonly lr: number | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly threads: 'auto' | number;
  readonly backend: NonNullable<RuntimeOptions['backend']>;
  readonly out: string | undefined;
  readonly resume: string | undefined;
}

/** Parses `digits`, `idx:<folder>`, `csv:<file>` or `text:<file>`. */
export function parseData(text: string): DataSource {
  if (text === 'digits') return { kind: 'digits' };
  const [, kind, path] = /^(idx|csv|text):(.+)$/s.exec(text) ?? [];
  if (!kind)
    throw new UsageError('--data', 'digits, idx:<folder>, csv:<file> or text:<file>', quote(text));
  return { kind: kind as 'idx' | 'csv' | 'text', path };
}

/** Parses the name or index of a column; the file decides whether digits are a name. */
export function parseTarget(text: string): string {
  if (text === '') throw new UsageError('--target', 'the name or index of a column', quote(text));
  return text;
}

export function parseHeader(text: string): 'auto' | boolean {
  const choice = parseChoice('--header', text, ['auto', 'true', 'false']);
  return choice === 'auto' ? choice : choice === 'true';
}

export function parseTask(text: string): Task {
  return parseChoice('--task', text, TASKS);
}

export function parseOptimizer(text: string): OptimizerName {
  return parseChoice('--optimizer', text, optimizerNames());
}

export function parsePreset(text: string): Preset {
  return parseChoice('--preset', text, PRESETS);
}

export function parseSchedule(text: string): ScheduleChoice {
  return parseChoice('--schedule', text, SCHEDULES);
}

export function parseBackend(text: string): (typeof BACKENDS)[number] {
  return parseChoice('--backend', text, BACKENDS);
}

export function parseThreads(text: string): 'auto' | number {
  return text === 'auto' ? 'auto' : parseInteger('--threads', text, 1, 64, 'auto or ');
}

export function parseLearningRate(text: string): number {
  return parseNumber('--lr', text, '[0, ∞)', (x) => x >= 0);
}

export function parseTestFraction(text: string): number {
  return parseNumber('--test-fraction', text, '(0, 1)', (x) => x > 0 && x < 1);
}

export function parseEpochs(text: string): number {
  return parseInteger('--epochs', text, 1, 2 ** 31 - 1);
}

export function parseBatchSize(text: string): number {
  return parseInteger('--batch-size', text, 1, 2 ** 24);
}

export function parseSeed(text: string): number {
  return parseInteger('--seed', text, 0, Number.MAX_SAFE_INTEGER);
}

export function parseOut(text: string): string {
  if (text === '') throw new UsageError('--out', 'the path of a folder', quote(text));
  return text;
}

export function parseResume(text: string): string {
  if (text === '') throw new UsageError('--resume', 'the path of a checkpoint', quote(text));
  return text;
}

/** Formats a data source as it would be typed. */
export function formatData(source: DataSource): string {
  return source.kind === 'digits' ? 'digits' : `${source.kind}:${source.path}`;
}

/**
 * Fills in the defaults that depend on other options.
 *
 * @throws UsageError for options that do not fit together
 */
export function settle(options: TrainOptions): TrainSettings {
  const { data, target, header = 'auto', task, testFraction } = options;
  const model =
    options.model ??
    (data.kind === 'text' ? { kind: 'charlm' } : { kind: 'mlp', hidden: [64], outer: null });
  if (data.kind === 'csv' && target === undefined) {
    throw new UsageError(
      '--target',
      `the name or index of the target column with --data csv:<file>`,
      'nothing',
    );
  }
  if (data.kind !== 'csv' && target !== undefined) {
    throw new UsageError('--target', `--data csv:<file>`, `--data ${data.kind}`);
  }
  if (data.kind !== 'csv' && header !== 'auto')
    throw new UsageError('--header', `--data csv:<file>`, `--data ${data.kind}`);
  if (data.kind !== 'csv' && task !== undefined)
    throw new UsageError('--task', `--data csv:<file>`, `--data ${data.kind}`);
  if (
    model.kind === 'definition' &&
    task !== undefined &&
    task !== (isOnClasses(model) ? 'classification' : 'regression')
  ) {
    const loss = `the loss ${model.definition.loss.kind} of ${model.source}`;
    throw new UsageError('--task', `the task of ${loss}`, task);
  }
  if (data.kind === 'idx' && testFraction !== undefined) {
    throw new UsageError(
      '--test-fraction',
      'digits, csv or text data (an idx folder has its own test set)',
      '--data idx',
    );
  }
  if (model.kind === 'charlm' && data.kind !== 'text') {
    throw new UsageError('--data', 'text:<file> with --model charlm', formatData(data));
  }
  return {
    ...options,
    header,
    model,
    batchSize: options.batchSize ?? (model.kind === 'charlm' ? 64 : 32),
  };
}

function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  if (choices.includes(text as T)) return text as T;
  const expected = `${choices.slice(0, -1).join(', ')} or ${choices[choices.length - 1]}`;
  throw new UsageError(option, expected, quote(text));
}

function parseInteger(
  option: string,
  text: string,
  low: number,
  high: number,
  before = '',
): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw new UsageError(option, `${before}an integer in [${low}, ${high}]`, quote(text));
  }
  return value;
}

function parseNumber(
  option: string,
  text: string,
  interval: string,
  inside: (x: number) => boolean,
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || !inside(value))
    throw new UsageError(option, `a number in ${interval}`, quote(text));
  return value;
}
