/**
 * Result files of the single benchmarks (step, optimizers, gemm, train, cold-start): the raw
 * samples of every round with the environment they were taken in.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchPath } from './bench-folder';
import { commitOf } from './commit';
import { describeMachine, identifyRuntime } from './machine';
import { replaceText } from './replace-text';

export const SINGLE_BENCHMARKS = ['step', 'optimizers', 'gemm', 'train', 'cold-start'] as const;
export type SingleBenchmark = (typeof SINGLE_BENCHMARKS)[number];

/** Environment of a single benchmark, in words. */
export interface SingleEnvironment {
  /** Day of the measurement, YYYY-MM-DD. */
  readonly date: string;
  /** Name and version, such as `Node 24.1.0`. */
  readonly runtime: string;
  readonly engine: string;
  /** CPU model and number of logical CPUs. */
  readonly cpu: string;
  readonly platform: string;
  /** Commit of the working tree; null outside one. */
  readonly commit?: string | null;
}

/** Version of the files' format. */
export const SINGLE_VERSION = 2;

/** Describes the environment of this process. */
export function describeSingleEnvironment(): SingleEnvironment {
  const { version, engine } = identifyRuntime();
  const { os, arch, cpu, cores } = describeMachine();
  return {
    date: new Date().toISOString().slice(0, 10),
    runtime: `Node ${version}`,
    engine,
    cpu: `${cpu ?? 'unknown CPU'} × ${cores}`,
    platform: `${os} ${arch}`,
    commit: commitOf(benchPath('..'), ['src', 'assembly', 'bench']),
  };
}

/** Returns an environment as a line of text. */
export const environmentLine = ({ runtime, engine, cpu, date }: SingleEnvironment): string =>
  `${runtime} (${engine}), ${cpu}, ${date}`;

export interface SingleResult {
  readonly benchmark: SingleBenchmark;
  readonly environment: SingleEnvironment;
  readonly rounds: number;
  /** Unit of the samples. */
  readonly unit: string;
  readonly [field: string]: unknown;
}

/** Returns the path, without extension, of a result in `folder`. */
export function singleResultBase(
  folder: string,
  benchmark: SingleBenchmark,
  { date }: SingleEnvironment,
): string {
  const [major] = process.versions.node.split('.');
  return join(folder, `${benchmark}-${date}-node${major}`);
}

/**
 * Writes a result to `folder`, which is created where it is missing.
 * @returns the path of the file
 */
export function saveSingleResult(folder: string, result: SingleResult): string {
  mkdirSync(folder, { recursive: true });
  const file = `${singleResultBase(folder, result.benchmark, result.environment)}.json`;
  replaceText(file, `${JSON.stringify({ version: SINGLE_VERSION, ...result })}\n`);
  return file;
}
