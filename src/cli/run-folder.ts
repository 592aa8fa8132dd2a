/**
 * Where a run is kept: weights.safetensors, curves.svg and run.json, each written beside the old
 * one and renamed, so that a file is the old one or the new one, whole.
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
import { tell } from './output';
import { printable, printableJson } from './printable';
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

/** A folder that this process alone writes to until the claim is released. */
export interface ClaimedFolder extends FolderClaim {
  readonly path: string;
}

/**
 * Makes and claims the folder for a run before it begins, so that a place that cannot be written to
 * costs no training.
 * @param out the folder asked for; it may exist, but not hold a run
 * @param name of the default folder, in runs/: "-2", "-3", … is appended while there is one
 * @throws DataError when the folder holds a run or another process is writing to it
 */
export async function prepareRunFolder(
  out: string | undefined,
  name: string,
): Promise<ClaimedFolder> {
  const folder = await claimRunFolder(out ?? createNumbered(name));
  for (const file of [RUN_FILE, WEIGHTS_FILE, CHECKPOINT_FILE]) {
    if (!existsSync(join(folder.path, file))) continue;
    folder.release();
    throw new DataError(`${folder.path}: holds a run already (${file}): choose another --out`);
  }
  return folder;
}

/**
 * Makes and claims a folder whose run may be replaced or continued. @throws DataError when another
 * process has it
 */
export async function claimRunFolder(path: string): Promise<ClaimedFolder> {
  makeFolder(path);
  const claim = await claimFolder(path);
  // After the claim: its file is gone when the folder is looked at.
  process.once('exit', () => removeIfEmpty(path));
  return { path, release: () => claim.release() };
}

/** A result that could not be written, and why. */
export class RunFileError extends DataError {
  constructor(path: string, cause: unknown) {
    super(`${path}: could not be written: ${reasonOf((cause as Error).cause ?? cause)}`, { cause });
  }
}

/**
 * Writes the files, the curves if there is an epoch to show; run.json last, so that where it is,
 * the weights are.
 * @returns the names of the files
 * @throws RunFileError when the weights or run.json cannot be written; curves that cannot are left
 * out
 */
export async function writeRun(
  folder: string,
  context: RunContext,
  result: SessionResult,
): Promise<string[]> {
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

/**
 * Whether the folder holds the results of a run that is as far as the checkpoint, weights included.
 */
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
    model: { ...model, parameterCount },
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
 * With its parents. (Node's `recursive` never returns where a parent takes no folders, such as
 * /proc.)
 */
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
