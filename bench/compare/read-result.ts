/** Reads results of every kind: of the suite and of the single benchmarks. */
import { basename } from 'node:path';
import type { Result } from '../schema/result';
import { readResultText } from '../suite/result-text';
import { parseResult, ResultError } from '../suite/validate';
import type { SingleBenchmark, SingleEnvironment } from '../toolkit/single-result';

/** A single benchmark's result as it is in the file: `speedsOfSingle` checks the samples. */
export interface SingleRecord {
  readonly benchmark: SingleBenchmark;
  readonly environment: SingleEnvironment;
  readonly [field: string]: unknown;
}

/** Files of version 1 do not name their benchmark: a field that no other has. */
const TELLING_FIELDS: readonly (readonly [field: string, benchmark: SingleBenchmark])[] = [
  ['dispatch', 'step'],
  ['optimizers', 'optimizers'],
  ['products', 'gemm'],
  ['measured', 'train'],
  ['starts', 'cold-start'],
];

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function environmentOf(record: Readonly<Record<string, unknown>>, name: string): SingleEnvironment {
  // Cold starts of version 1 have the environment's fields among their own.
  const environment = isObject(record.environment) ? record.environment : record;
  const { commit = null } = environment;
  const text = (field: string): string => {
    const value = environment[field];
    if (typeof value !== 'string')
      throw new ResultError(`${name}: "environment.${field}" expected text, got ${typeof value}`);
    return value;
  };
  return {
    date: text('date'),
    runtime: text('runtime'),
    engine: text('engine'),
    cpu: text('cpu'),
    platform: text('platform'),
    commit: typeof commit === 'string' ? commit : null,
  };
}

/**
 * Reads the text of a result, which may be of any kind.
 * @throws ResultError for text that is no result, and for results that break their schema
 */
export function parseAnyResult(text: string, name: string): Result | SingleRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseResult(text, name); // Throws, with the place.
  }
  if (!isObject(value) || 'schemaVersion' in value) return parseResult(text, name);
  const [, benchmark] = TELLING_FIELDS.find(([field]) => field in value) ?? [];
  if (benchmark === undefined)
    throw new ResultError(`${name}: expected a result of adal-bench, got other JSON`);
  return { ...value, benchmark, environment: environmentOf(value, name) };
}

/**
 * Reads a result file, which may be gzipped.
 * @throws ResultError as `parseAnyResult` does; the file system's error when it cannot be read
 */
export function readResult(path: string): Result | SingleRecord {
  return parseAnyResult(readResultText(path), basename(path));
}

/** Tells the results of the suite from those of single benchmarks. */
export const isSuiteResult = (result: Result | SingleRecord): result is Result =>
  'schemaVersion' in result;
