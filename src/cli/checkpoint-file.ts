/**
 * The checkpoint of `adal train`: the checkpoint of `fit` with the settings of the run.
 *
 * Invariant: it contains every setting on which the weights depend, so a run can resume from it
 * alone.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CheckpointExtras, decodeCheckpoint, type PlainData } from '../checkpoint';
import { AdalError, DataError } from '../index';
import { checkRunState } from '../nn/check-run-state';
import { readModelStateDict } from '../nn/learnt-state';
import { describe, isObject } from '../validate';
import { UsageError } from './errors';
import { readBytes } from './files';
import type { DataNames, LoadedData } from './load-data';
import { formatModel, parseModel } from './model-spec';
import {
  type DataSource,
  formatData,
  parseBatchSize,
  parseData,
  parseEpochs,
  parseHeader,
  parseLearningRate,
  parseOptimizer,
  parsePreset,
  parseSchedule,
  parseSeed,
  parseTarget,
  parseTask,
  parseTestFraction,
  type TrainOptions,
  type TrainSettings,
} from './options';

/** Name of the checkpoint in the folder of its run. */
export const CHECKPOINT_FILE = 'checkpoint.safetensors';

/**
 * Settings on which the weights depend, with their parsers. Threads and backends do not change any
 * bit.
 */
const PARSERS = {
  data: parseData,
  target: parseTarget,
  header: parseHeader,
  task: parseTask,
  testFraction: parseTestFraction,
  model: parseModel,
  optimizer: parseOptimizer,
  preset: parsePreset,
  schedule: parseSchedule,
  lr: parseLearningRate,
  epochs: parseEpochs,
  batchSize: parseBatchSize,
  seed: parseSeed,
} satisfies { [K in keyof TrainSettings]?: (text: string) => TrainSettings[K] };

type RunKey = keyof typeof PARSERS;
type RunSettings = Pick<TrainSettings, RunKey>;
const KEYS = Object.keys(PARSERS) as RunKey[];

/** Settings that may change when a run resumes. */
const MAY_CHANGE: readonly RunKey[] = ['data', 'epochs'];

/** Decoded checkpoint of `adal train`. */
export interface TrainCheckpoint {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly settings: RunSettings;
  /** SHA-256 of the examples (`hashOfData`). */
  readonly dataHash: string;
  /** Names of classes and columns. */
  readonly names: DataNames;
  /** Current epoch, counted from 1. */
  readonly epoch: number;
  /** Number of completed batches of the current epoch. */
  readonly batch: number;
  /** Number of steps so far. */
  readonly step: number;
}

/** Returns the data that a run adds to its checkpoints. */
export function extrasOf(
  settings: RunSettings,
  loaded: LoadedData,
  dataHash: string,
): CheckpointExtras {
  const { data } = settings;
  const { header, classNames = null, columns = null } = loaded;
  // The run may resume in another working directory.
  const absolute: DataSource =
    data.kind === 'digits' ? data : { ...data, path: resolve(data.path) };
  // The decision about the header is not repeated for another file.
  const settled = { ...settings, data: absolute, header: header ?? settings.header };
  return { train: { settings: textsOf(settled), dataHash, classNames, columns } };
}

/**
 * Returns the path of a checkpoint.
 *
 * @param place the file, or the folder of its run
 * @throws DataError for a folder without a checkpoint; file errors with the path
 */
export function locateCheckpoint(place: string): string {
  if (!statSync(place).isDirectory()) return place;
  const path = join(place, CHECKPOINT_FILE);
  if (existsSync(path)) return path;
  throw new DataError(
    `${place}: expected a folder with a ${CHECKPOINT_FILE}, got one without: ` +
      'if the run ended before its first checkpoint, start it again without --resume',
  );
}

/**
 * Reads a checkpoint of `adal train`.
 *
 * @param path path from `locateCheckpoint`
 * @throws DataError for any other or a damaged file; file errors with the path
 */
export function readTrainCheckpoint(path: string): TrainCheckpoint {
  const bytes = readBytes(path, 'a checkpoint');
  try {
    const { train, run, model } = decodeCheckpoint(bytes).extras as Record<string, unknown>;
    if (
      !isObject(train) ||
      !isObject(train.settings) ||
      typeof train.dataHash !== 'string' ||
      !isObject(run)
    ) {
      throw new DataError(
        'expected a checkpoint written by adal train, got one of another program',
      );
    }
    readModelStateDict('extras.model', model);
    const { epoch, batch, step, epochs } = checkRunState(run);
    if (
      epochs.length !== epoch - 1 ||
      epochs.some((each, index) => each.epoch !== index + 1 || !each.validation)
    ) {
      throw new DataError(
        `"extras.run.epochs" expected the ${epoch - 1} epochs before epoch ${epoch}, each with ` +
          'its validation, got others',
      );
    }
    const { settings, dataHash } = train;
    const names = { classNames: namesIn(train, 'classNames'), columns: namesIn(train, 'columns') };
    return { path, bytes, settings: parseTexts(settings), dataHash, names, epoch, batch, step };
  } catch (error) {
    if (error instanceof AdalError || error instanceof UsageError) {
      throw new DataError(`${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/**
 * Returns the options of a resumed run: those of the checkpoint, except for options on the command
 * line that may change.
 *
 * @param typed names of the options that are on the command line
 * @throws UsageError for any other option that differs from the checkpoint
 */
export function resumedOptions(
  options: TrainOptions,
  typed: ReadonlySet<string>,
  checkpoint: TrainCheckpoint,
): TrainOptions {
  const [kept, given] = [textsOf(checkpoint.settings), textsOf(options)];
  const resumed: Record<string, unknown> = { ...options };
  for (const key of KEYS) {
    if (typed.has(key) && MAY_CHANGE.includes(key)) continue;
    if (typed.has(key) && kept[key] !== given[key]) {
      const option = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new UsageError(
        option,
        `${kept[key] ?? 'none'}, as in ${checkpoint.path}`,
        given[key] ?? 'none',
      );
    }
    resumed[key] = checkpoint.settings[key];
  }
  return resumed as unknown as TrainOptions;
}

/** Formats settings as they would be typed; skips undefined ones. */
function textsOf({ data, model, ...rest }: Partial<RunSettings>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const key of KEYS) {
    const value = (rest as Record<string, unknown>)[key];
    if (value !== undefined) texts[key] = String(value);
  }
  return {
    ...texts,
    ...(data && { data: formatData(data) }),
    ...(model && { model: formatModel(model) }),
  };
}

function parseTexts(texts: Readonly<Record<string, unknown>>): RunSettings {
  const settings: Record<string, PlainData | object> = {};
  for (const key of KEYS) {
    const text = texts[key];
    if (text === undefined) continue;
    if (typeof text !== 'string')
      throw new DataError(`"extras.train.settings.${key}" expected text, got ${describe(text)}`);
    settings[key] = PARSERS[key](text);
  }
  for (const key of ['data', 'model', 'optimizer', 'preset', 'epochs', 'batchSize', 'seed']) {
    if (!(key in settings))
      throw new DataError(
        `expected the setting ${key} ("extras.train.settings.${key}"), got nothing`,
      );
  }
  return settings as unknown as RunSettings;
}

function namesIn(
  train: Readonly<Record<string, unknown>>,
  key: keyof DataNames,
): readonly string[] | undefined {
  const names = train[key] ?? undefined;
  if (
    names === undefined ||
    (Array.isArray(names) && names.every((name) => typeof name === 'string'))
  )
    return names;
  throw new DataError(`"extras.train.${key}" expected an array of names, got ${describe(names)}`);
}
