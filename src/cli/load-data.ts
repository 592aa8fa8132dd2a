/** Examples by what `--data` says, split and scaled, ready to train on. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { type Dataset, loadDigits, loadIdxFolder, parseCsv, standardize, trainTestSplit } from '../data';
import { DataError } from '../index';
import { readBytes } from './files';
import type { DataSource } from './options';

/** Both parts, and how they came to be. */
export interface LoadedData {
  /** A short name, also of run folders. */
  readonly name: string;
  readonly train: Dataset;
  readonly test: Dataset;
  /** What was done to each feature: x became (x - mean)/scale; null for nothing. */
  readonly standardized: { readonly mean: number[]; readonly scale: number[] } | null;
}

export interface LoadOptions {
  readonly target?: string | number;
  readonly testFraction?: number;
  readonly seed: number;
  /** Classes of idx data, where they are known. */
  readonly classCount?: number;
}

/**
 * Loads a data set. CSV features are standardised by the training split's statistics; digits and idx data are in [0, 1] already.
 * @throws DataError, or a file error with its path
 */
export function loadData(source: DataSource, { target, testFraction, seed, classCount }: LoadOptions): LoadedData {
  if (source.kind === 'digits') {
    return { name: 'digits', ...trainTestSplit(loadDigits(), { seed, testFraction }), standardized: null };
  }
  const path = source.path;
  if (source.kind === 'idx') {
    if (!statSync(path).isDirectory()) throw new DataError(`${path}: expected a folder of idx files, got a file`);
    return { name: basename(resolve(path)), ...loadIdxFolder(path, { classCount }), standardized: null };
  }
  const dataset = parseCsv(readText(path), { target: target!, name: path });
  const parts = trainTestSplit(dataset, { seed, testFraction });
  const { train, test, mean, scale } = standardize(parts.train, parts.test);
  const name = basename(path, extname(path));
  return { name, train, test, standardized: { mean: [...mean], scale: [...scale] } };
}

/** SHA-256 over the bytes of all examples: equal hashes mean equal runs. */
export function hashOfData({ train, test }: LoadedData): string {
  const hash = createHash('sha256');
  for (const { features, labels } of [train, test]) {
    for (const { buffer, byteOffset, byteLength } of [features, labels])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

function readText(path: string): string {
  const bytes = readBytes(path, 'a csv file');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: expected UTF-8 text of at most 512 MB, got something else`, { cause });
  }
}
