/** `adal-bench run`: reads settings from the options, runs the suite, and sums up the outcome. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ArgumentError } from 'adal-wasm';
import type { Result } from '../schema/result';
import { type BenchSettings, runBench } from '../suite/bench';
import { loadExtensions } from '../suite/extensions';
import { parseCount, parseFilters, parseList, parseNames } from '../suite/filters';
import { formatTime } from '../suite/progress';
import { register } from '../suite/registry';
import { runnersNamed } from '../suite/runners';
import { PARTS, type Part } from '../suite/tasks';
import type { Tier } from '../suite/types';
import { commitOf } from '../toolkit/commit';
import { printable } from '../toolkit/printable';
import { findPlaces, libraryFolder } from './places';

/** Folders of a checkout that figures depend on. */
const MEASURED = ['src', 'assembly', 'bench/suite', 'bench/toolkit', 'bench/data'];

/** Options as typed. */
export interface RunOptions {
  readonly tier: Tier;
  readonly runtimes: string;
  readonly only?: string;
  readonly optimizers?: string;
  readonly workloads?: string;
  readonly seeds?: string;
  readonly shard?: string;
  readonly lanes?: string;
  readonly out?: string;
  readonly with?: readonly string[];
}

/** Runs the suite. @returns the exit code: 1 when a job failed or hashes differ */
export async function run(options: RunOptions): Promise<number> {
  const extensions = (options.with ?? []).map((path) => pathToFileURL(path).href);
  for (const href of extensions) register(await loadExtensions(href));
  const settings = settingsFrom(options, extensions);
  const begin = Date.now();
  const { result, failures } = await runBench(settings);
  for (const failure of failures) console.error(printable(`failed: ${failure}`));
  const differing = differingHashes(result);
  for (const difference of differing) console.error(printable(`hashes differ: ${difference}`));
  const { training, hashes } = result;
  console.log(
    printable(
      `${training.runs.length} runs, ${hashes.length} hashes in ` +
        `${formatTime(Date.now() - begin)}: ${settings.out}` +
        `\nadal-bench report ${settings.out} writes the report`,
    ),
  );
  return failures.length + differing.length === 0 ? 0 : 1;
}

function settingsFrom(options: RunOptions, extensions: readonly string[]): BenchSettings {
  const { tier } = options;
  const shard = parseShard(options.shard ?? '1/1');
  const suffix = shard.count > 1 ? `-${shard.index}of${shard.count}` : '';
  const out = options.out ?? `bench-results/${tier}${suffix}.json`;
  const places = findPlaces(extensions);
  return {
    tier,
    runners: runnersNamed(parseList(options.runtimes), places),
    parts: options.only === undefined ? PARTS : (parseNames('only', options.only, PARTS) as Part[]),
    filters: parseFilters(options),
    shard,
    lanes:
      options.lanes === undefined
        ? availableParallelism()
        : parseCount('lanes', options.lanes, 256),
    out,
    command: commandOf(options),
    package: describeLibrary(),
    peers: places.peers,
  };
}

export function parseShard(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!index || Number(index) < 1 || Number(index) > Number(count)) {
    throw new ArgumentError('shard', 'i/n with 1 ≤ i ≤ n', text);
  }
  return { index: Number(index), count: Number(count) };
}

function commandOf(options: RunOptions): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [
    'adal-bench run',
    ...given.map(([name, value]) => `--${name} ${[value].flat().join(' ')}`),
  ].join(' ');
}

/** The library's name and version, and its commit where it stands in a checkout. */
function describeLibrary(): Result['package'] {
  const folder = libraryFolder();
  const { name, version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  return { name, version, commit: commitOf(fileURLToPath(folder), MEASURED) };
}

/** Fingerprints of one workload and optimizer that are not the same on all runtimes. */
export function differingHashes({ hashes }: Result): string[] {
  const first = new Map<string, (typeof hashes)[number]>();
  const found: string[] = [];
  for (const entry of hashes.filter(({ status }) => status === 'ok')) {
    const key = `${entry.workload} ${entry.optimizer} after ${entry.steps} steps`;
    const other = first.get(key);
    if (!other) first.set(key, entry);
    else if (other.hash !== entry.hash)
      found.push(
        `${key}: ${entry.environment} has ${entry.hash}, ${other.environment} ${other.hash}`,
      );
  }
  return found;
}
