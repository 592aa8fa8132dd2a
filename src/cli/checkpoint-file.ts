/**
 * The checkpoint of `adal train`: the optimizer's, and beside it which run it belongs to and how far that is.
 *
 * Invariant: a run that goes on from a checkpoint has the weights of one that never stopped, bit for bit.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint, type PlainData } from '../checkpoint';
import { fileStore } from '../checkpoint/stores/file';
import { AdalError, DataError, type StateDict } from '../index';
import type { TrainPosition } from '../nn';
import { UsageError } from './errors';
import { readBytes } from './files';
import {
  formatOption,
  parseBatchSize,
  parseData,
  parseEpochs,
  parseLearningRate,
  parseModel,
  parseOptimizer,
  parsePreset,
  parseSchedule,
  parseSeed,
  parseTarget,
  parseTestFraction,
  type TrainSettings,
} from './options';

/** In the folder of its run. */
export const CHECKPOINT_FILE = 'checkpoint.safetensors';

/** Settings that make a run what it is, and how their texts are read. Data and epochs may be told anew when it goes on. */
const PARSERS = {
  data: parseData,
  target: parseTarget,
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

type RunSettings = Pick<TrainSettings, keyof typeof PARSERS>;

const MAY_CHANGE: readonly string[] = ['data', 'epochs'];

/** What a checkpoint file of `adal train` holds. */
export interface TrainCheckpoint {
  readonly path: string;
  readonly settings: RunSettings;
  /** SHA-256 of the examples: see `hashOfData`. */
  readonly dataHash: string;
  readonly position: TrainPosition;
  readonly stateDict: StateDict;
}

/** Writes the file; killed on the way, the file of before is there. */
export async function saveTrainCheckpoint({ path, settings, dataHash, position, stateDict }: TrainCheckpoint): Promise<void> {
  const texts: Record<string, string> = {};
  for (const key of Object.keys(PARSERS) as (keyof RunSettings)[]) {
    const value = settings[key];
    if (value !== undefined) texts[key] = formatOption(value);
  }
  const extras = { run: texts, dataHash, position: withoutNaN(position) };
  await fileStore(path).save(encodeCheckpoint(stateDict, extras));
}

/**
 * Reads a checkpoint that `adal train` wrote.
 * @param place the file, or the folder of its run
 * @throws DataError for another file, and file errors with the path
 */
export function readTrainCheckpoint(place: string): TrainCheckpoint {
  const path = statSync(place).isDirectory() ? join(place, CHECKPOINT_FILE) : place;
  const bytes = readBytes(path, 'a checkpoint');
  try {
    const { stateDict, extras } = decodeCheckpoint(bytes);
    const { run, dataHash, position } = extras as Record<string, PlainData | undefined>;
    if (!isRecord(run) || !isRecord(position) || typeof dataHash !== 'string') {
      throw new DataError('expected a checkpoint that adal train wrote, got one of another program');
    }
    return { path, settings: parseSettings(run), dataHash, position: withNaN(position), stateDict };
  } catch (error) {
    if (error instanceof AdalError || error instanceof UsageError)
      throw new DataError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * The settings of a run that goes on: the checkpoint's, but for what was typed and may change.
 * @param typed names of the options that were on the command line
 * @throws UsageError for a typed option that is another than the run's
 */
export function resumedSettings(settings: TrainSettings, typed: ReadonlySet<string>, checkpoint: TrainCheckpoint): TrainSettings {
  const resumed: Record<string, unknown> = { ...settings };
  for (const key of Object.keys(PARSERS) as (keyof RunSettings)[]) {
    const given = settings[key];
    const kept = checkpoint.settings[key];
    if (typed.has(key) && MAY_CHANGE.includes(key)) continue;
    const [keptText, givenText] = [kept, given].map((value) => (value === undefined ? 'none' : formatOption(value)));
    if (typed.has(key) && keptText !== givenText) {
      const option = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new UsageError(option, `${keptText}, as ${checkpoint.path} has it`, givenText);
    }
    resumed[key] = kept;
  }
  return resumed as unknown as TrainSettings;
}

function parseSettings(texts: Readonly<Record<string, unknown>>): RunSettings {
  const settings: Record<string, unknown> = {};
  for (const [key, parse] of Object.entries(PARSERS)) {
    const text = texts[key];
    if (typeof text === 'string') settings[key] = parse(text);
  }
  return settings as unknown as RunSettings;
}

/** Losses that are not finite, which JSON does not have, become null. */
function withoutNaN({ epochs, lossSum, ...counts }: TrainPosition): PlainData {
  const finite = (x: number | null) => (x === null || Number.isFinite(x) ? x : null);
  const plain = epochs.map(({ trainLoss, testLoss, ...rest }) => ({
    trainLoss: finite(trainLoss),
    testLoss: finite(testLoss),
    ...rest,
  }));
  return { ...counts, lossSum: finite(lossSum), epochs: plain };
}

function withNaN(position: Readonly<Record<string, unknown>>): TrainPosition {
  const { epochs, lossSum } = position;
  if (!Array.isArray(epochs) || !epochs.every(isRecord))
    throw new DataError('"extras.position.epochs" expected results, got others');
  const results = epochs.map((result) => ({ ...result, trainLoss: result.trainLoss ?? Number.NaN }));
  return { ...position, epochs: results, lossSum: lossSum ?? Number.NaN } as unknown as TrainPosition;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
