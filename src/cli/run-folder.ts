/**
 * The folder of a run: weights.safetensors, curves.svg and run.json. Each file is written under
 * another name and renamed, so it is always the old one or the new one, whole.
 */
import { existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeSafetensors } from '../checkpoint/safetensors';
import { fileStore } from '../checkpoint/stores/file';
import { DataError, type RuntimeInfo } from '../index';
import type { BuiltModel } from './build-model';
import { CHECKPOINT_FILE } from './checkpoint-file';
import { drawCurves } from './curves';
import type { Environment } from './environment';
import { reasonOf } from './errors';
import { readText } from './files';
import { claimFolder, type FolderClaim } from './folder-claim';
import type { LoadedData } from './load-data';
import type { ModelStructure } from './model-file';
import { tell } from './output';
import { printable, printableJson } from './printable';
import type { EpochResult, SessionResult } from './session';

export const WEIGHTS_FILE = 'weights.safetensors';
export const RUN_FILE = 'run.json';
export const CURVES_FILE = 'curves.svg';
const RUNS = 'runs';
/** The most classes of a confusion matrix in run.json, which people read. */
const MAX_RECORDED_CLASSES = 32;

/** Contents of run.json. Numbers that are not finite are null. */
export interface RunRecord {
  readonly version: 1;
  readonly command: string;
  /** Options of the run, including defaults; null for a default of the library. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly startedAt: string;
  readonly environment: Environment;
  readonly info: RuntimeInfo;
  readonly data: Readonly<Record<string, unknown>>;
  readonly model: ModelStructure &
    Omit<BuiltModel, 'structure'> & { readonly parameterCount: number };
  readonly epochs: readonly EpochResult[];
  readonly result: Readonly<Record<string, unknown>>;
  readonly parameterHash: string;
}

/** Data for run.json that are not part of the result. */
export interface RunContext {
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly startedAt: Date;
  readonly environment: Environment;
  readonly data: LoadedData;
}

/** A folder to which only this process writes until it releases the claim. */
export interface ClaimedFolder extends FolderClaim {
  readonly path: string;
}

/**
 * Creates and claims the folder of a new run. Called before training, so that an unwritable path is
 * detected early.
 *
 * @param out requested folder; it may exist, but must not contain a run
 * @param name name of the default folder in runs/; if it exists, "-2", "-3", … is appended
 * @throws DataError if the folder contains a run or another process is writing to it
 */
export async function prepareRunFolder(
  out: string | undefined,
  name: string,
): Promise<ClaimedFolder> {
  const folder = await claimRunFolder(out ?? createNumbered(name));
  for (const file of [RUN_FILE, WEIGHTS_FILE, CHECKPOINT_FILE]) {
    if (!existsSync(join(folder.path, file))) continue;
    folder.release();
    throw new DataError(`${folder.path}: already contains a run (${file}): choose another --out`);
  }
  return folder;
}

/**
 * Creates and claims a folder whose run may be replaced or continued.
 *
 * @throws DataError if another process is writing to it
 */
export async function claimRunFolder(path: string): Promise<ClaimedFolder> {
  makeFolder(path);
  const claim = await claimFolder(path);
  // Registered after the claim, whose file must be removed first.
  process.once('exit', () => removeIfEmpty(path));
  return { path, release: () => claim.release() };
}

/** A result file that could not be written. */
export class RunFileError extends DataError {
  constructor(path: string, cause: unknown) {
    super(`${path}: cannot be written: ${reasonOf((cause as Error).cause ?? cause)}`, { cause });
  }
}

/**
 * Writes the results. run.json comes last, so if it exists, the weights do.
 *
 * @returns the names of the written files, without curves if there are no epochs
 * @throws RunFileError if the weights or run.json cannot be written; curves that cannot be written
 *   are only a warning
 */
export async function writeRun(
  folder: string,
  context: RunContext,
  result: SessionResult,
): Promise<string[]> {
  makeFolder(folder);
  const { options, data } = context;
  const { structure, loss } = result.model;
  const metadata = {
    format: 'adal-wasm',
    data: data.name,
    model: result.model.title,
    definition: JSON.stringify({ ...structure, loss }),
    optimizer: String(options.optimizer),
    preset: String(options.preset),
    seed: String(options.seed),
    steps: String(result.steps),
    sha256: result.parameterHash,
  };
  const written: string[] = [];
  const write = async (file: string, bytes: Uint8Array) => {
    const path = join(folder, file);
    await fileStore(path)
      .save(bytes)
      .catch((error) => {
        throw new RunFileError(path, error);
      });
    written.push(file);
  };
  await write(WEIGHTS_FILE, encodeSafetensors(result.weights, metadata));
  const title = [
    data.name,
    options.model,
    options.optimizer,
    ...(options.optimizer === 'adal' ? [options.preset] : []),
  ].join(', ');
  const curves = drawCurves({
    title,
    epochs: result.epochs,
    accuracy: result.testAccuracy !== null,
  });
  if (curves !== null) {
    await write(CURVES_FILE, new TextEncoder().encode(curves)).catch(({ message }) =>
      tell(`adal: warning: ${printable(message)}`),
    );
  }
  const record = `${printableJson(JSON.stringify(recordOf(context, result), null, 2))}\n`;
  await write(RUN_FILE, new TextEncoder().encode(record));
  return written;
}

/** Tells whether the folder contains the results of a run that is as far as the checkpoint. */
export function holdsResults(
  folder: string,
  { epoch, step }: { readonly epoch: number; readonly step: number },
): boolean {
  if (!existsSync(join(folder, WEIGHTS_FILE))) return false;
  try {
    const { epochs, result } = JSON.parse(readText(join(folder, RUN_FILE), 'a record of a run'));
    return epochs.length === epoch - 1 && result.steps === step && result.aborted === false;
  } catch {
    return false;
  }
}

function recordOf(
  { command, options, startedAt, environment, data }: RunContext,
  result: SessionResult,
): RunRecord {
  const { info, model, parameterCount, epochs, weights, parameterHash, confusion, ...figures } =
    result;
  const {
    name,
    train,
    test,
    classCount,
    classNames,
    columns,
    header,
    standardized,
    standardizedTarget,
    ngramLosses,
  } = data;
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
      featureCount: train.featureCount,
      classCount,
      classNames,
      columns,
      header,
      standardized,
      standardizedTarget,
      ngramLosses,
    },
    model: { ...model.structure, loss: model.loss, title: model.title, parameterCount },
    epochs,
    result: { ...figures, confusion: (classCount ?? 0) <= MAX_RECORDED_CLASSES ? confusion : null },
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

/**
 * Creates a folder and its parents. (Node's `recursive` option never returns if a parent cannot
 * contain folders, such as /proc.)
 */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Another process may have created it.
    if (!isFolder(folder)) throw new DataError(`${folder}: expected a folder, got a file`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Removes the folder of a run that failed, unless it has files. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not empty.
  }
}
