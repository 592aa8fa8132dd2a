/** Where a run is kept: weights.safetensors, curves.svg and run.json, each written whole or not at all. */
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeSafetensors } from '../checkpoint/safetensors';
import { fileStore } from '../checkpoint/stores/file';
import { DataError, type RuntimeInfo } from '../index';
import type { BuiltModel } from './build-model';
import { CHECKPOINT_FILE } from './checkpoint-file';
import { drawCurves } from './curves';
import type { Environment } from './environment';
import type { LoadedData } from './load-data';
import type { EpochResult, SessionResult } from './session';

export const WEIGHTS_FILE = 'weights.safetensors';
export const RUN_FILE = 'run.json';
export const CURVES_FILE = 'curves.svg';
const RUNS = 'runs';
/** Of a confusion table in run.json, which people read. */
const MAX_RECORDED_CLASSES = 32;

/** What run.json holds. Numbers that are not finite are null. */
export interface RunRecord {
  readonly version: 1;
  readonly command: string;
  /** As they were used, defaults included; null for what was left to the library. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly startedAt: string;
  readonly environment: Environment;
  readonly info: RuntimeInfo;
  readonly data: Readonly<Record<string, unknown>>;
  readonly model: BuiltModel & { readonly parameterCount: number };
  readonly epochs: readonly EpochResult[];
  readonly result: Readonly<Record<string, unknown>>;
  readonly parameterHash: string;
}

/** What a command knows beyond the session's result. */
export interface RunContext {
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly startedAt: Date;
  readonly environment: Environment;
  readonly data: LoadedData;
}

/**
 * Makes the folder for a run before it begins, so that a place that cannot be written to costs no training.
 * @param out the folder asked for; it may exist, but not hold a run
 * @param name of the default folder, in runs/: "-2", "-3", … is appended while there is one
 */
export function prepareRunFolder(out: string | undefined, name: string): string {
  const folder = out ?? createNumbered(name);
  makeFolder(folder);
  for (const file of [RUN_FILE, WEIGHTS_FILE, CHECKPOINT_FILE]) {
    if (existsSync(join(folder, file))) throw new DataError(`${folder}: holds a run already (${file}): choose another --out`);
  }
  process.once('exit', () => removeIfEmpty(folder));
  return folder;
}

/** Writes the files, the curves if there is an epoch to show; run.json last, so that where it is, all is. */
export async function writeRun(folder: string, context: RunContext, result: SessionResult): Promise<void> {
  makeFolder(folder);
  const { options, data } = context;
  const { inputShape, layers, loss } = result.model;
  const metadata = {
    format: 'adal-wasm',
    data: data.name,
    model: result.model.title,
    definition: JSON.stringify({ inputShape, layers, loss }),
    optimizer: String(options.optimizer),
    preset: String(options.preset),
    seed: String(options.seed),
    steps: String(result.steps),
    sha256: result.parameterHash,
  };
  await fileStore(join(folder, WEIGHTS_FILE)).save(encodeSafetensors(result.weights, metadata));
  const title = [data.name, options.model, options.optimizer, ...(options.optimizer === 'adal' ? [options.preset] : [])].join(
    ', ',
  );
  const curves = drawCurves({ title, epochs: result.epochs, accuracy: result.testAccuracy !== null });
  if (curves !== null) await fileStore(join(folder, CURVES_FILE)).save(new TextEncoder().encode(curves));
  const record = `${JSON.stringify(recordOf(context, result), null, 2)}\n`;
  await fileStore(join(folder, RUN_FILE)).save(new TextEncoder().encode(record));
}

function recordOf({ command, options, startedAt, environment, data }: RunContext, result: SessionResult): RunRecord {
  const { info, model, parameterCount, epochs, weights, parameterHash, confusion, ...figures } = result;
  const { name, train, test, standardized, ngramLosses } = data;
  const { featureCount, classCount, classNames } = train;
  return {
    version: 1,
    command,
    options,
    startedAt: startedAt.toISOString(),
    environment,
    info,
    data: {
      name,
      trainCount: train.count,
      testCount: test.count,
      featureCount,
      classCount,
      classNames,
      standardized,
      ngramLosses,
    },
    model: { ...model, parameterCount },
    epochs,
    result: { ...figures, confusion: classCount <= MAX_RECORDED_CLASSES ? confusion : null },
    parameterHash,
  };
}

function createNumbered(name: string): string {
  makeFolder(RUNS);
  const safe = name.replace(/[^\p{L}\p{N}._-]+/gu, '_');
  for (let number = 1; ; number++) {
    const folder = join(RUNS, number === 1 ? safe : `${safe}-${number}`);
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** With its parents. (Node's `recursive` never returns where a parent takes no folders, such as /proc.) */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Another process may have been faster.
    if (!isFolder(folder)) throw new DataError(`${folder}: expected a folder, got a file`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** What a run that failed leaves behind: nothing. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not empty, as it should be.
  }
}
