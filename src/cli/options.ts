/** The command line's values: text → settings. Whatever makes no sense is a UsageError that names the option. */
import { type OptimizerName, optimizerNames, type RuntimeOptions } from '../index';
import { UsageError } from './errors';

/** Where examples come from. */
export type DataSource =
  | { readonly kind: 'digits' }
  | { readonly kind: 'idx'; readonly path: string }
  | { readonly kind: 'csv'; readonly path: string };

/** A multilayer perceptron: hidden sizes, and the outer ones where they were given. */
export interface ModelSpec {
  readonly hidden: readonly number[];
  /** Features and classes to insist on; null to take the data's. */
  readonly outer: { readonly inputs: number; readonly classes: number } | null;
}

export const PRESETS = ['restated', 'practical'] as const;
export type Preset = (typeof PRESETS)[number];

const BACKENDS = ['auto', 'simd', 'threads', 'oracle'] as const;

/** Schedules that a learning rate and the length of the run determine. */
const SCHEDULES = ['constant', 'linear', 'cosine', 'one-cycle', 'inverse-sqrt'] as const;
export type ScheduleChoice = (typeof SCHEDULES)[number];

/** Everything that `adal train` is told. */
export interface TrainSettings {
  readonly data: DataSource;
  readonly target: string | number | undefined;
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

/** `digits`, `idx:<folder>` or `csv:<file>`. */
export function parseData(text: string): DataSource {
  if (text === 'digits') return { kind: 'digits' };
  const [, kind, path] = /^(idx|csv):(.+)$/s.exec(text) ?? [];
  if (!kind) throw new UsageError('--data', 'digits, idx:<folder> or csv:<file>', quote(text));
  return { kind: kind as 'idx' | 'csv', path };
}

/** A column's name, or its index if it reads as an integer. */
export function parseTarget(text: string): string | number {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** `mlp:<h1>-<h2>…`, `softmax`, or all sizes: `<inputs>-<h1>-…-<classes>`. */
export function parseModel(text: string): ModelSpec {
  if (text === 'softmax') return { hidden: [], outer: null };
  const [, prefix, list] = /^(mlp:)?(\d+(?:-\d+)*)$/.exec(text) ?? [];
  const sizes = list?.split('-').map(Number) ?? [];
  const valid = sizes.every((size) => size >= 1 && size <= 2 ** 24);
  if (list && valid && prefix) return { hidden: sizes, outer: null };
  if (list && valid && sizes.length >= 2) {
    return { hidden: sizes.slice(1, -1), outer: { inputs: sizes[0], classes: sizes[sizes.length - 1] } };
  }
  throw new UsageError('--model', 'mlp:<h1>-<h2>-…, softmax, or all sizes as in 64-64-10', quote(text));
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

/** A value as it would be typed. */
export function formatOption(value: string | number | DataSource | ModelSpec): string {
  if (typeof value !== 'object') return String(value);
  if ('kind' in value) return value.kind === 'digits' ? 'digits' : `${value.kind}:${value.path}`;
  const { hidden, outer } = value;
  if (outer) return [outer.inputs, ...hidden, outer.classes].join('-');
  return hidden.length === 0 ? 'softmax' : `mlp:${hidden.join('-')}`;
}

/** Throws for options that are of no use together. */
export function checkTogether({ data, target, testFraction }: TrainSettings): void {
  if (data.kind === 'csv' && target === undefined) {
    throw new UsageError('--target', `the name or index of the label's column, which --data csv: needs`, 'nothing');
  }
  if (data.kind !== 'csv' && target !== undefined) {
    throw new UsageError('--target', `--data csv:<file>`, `--data ${data.kind}`);
  }
  if (data.kind === 'idx' && testFraction !== undefined) {
    throw new UsageError('--test-fraction', 'digits or csv data (an idx folder has its own test set)', '--data idx');
  }
}

function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  if (!choices.includes(text as T)) throw new UsageError(option, choices.join(' or '), quote(text));
  return text as T;
}

function parseInteger(option: string, text: string, low: number, high: number, before = ''): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw new UsageError(option, `${before}an integer in [${low}, ${high}]`, quote(text));
  }
  return value;
}

function parseNumber(option: string, text: string, interval: string, inside: (x: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || !inside(value)) throw new UsageError(option, `a number in ${interval}`, quote(text));
  return value;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
