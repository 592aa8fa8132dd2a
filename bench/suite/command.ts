/** `adal bench`: settings from what was typed, a run, and a word on how it went. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '../../src/index';
import type { Result } from '../schema/result';
import { printable } from '../toolkit/printable';
import { type BenchSettings, runBench } from './bench';
import { parseCount, parseFilters, parseList, parseNames } from './filters';
import { formatTime } from './progress';
import { runnersNamed } from './runners';
import { PARTS, type Part } from './tasks';
import type { Tier } from './types';

/** As commander gives them. */
export interface BenchOptions {
  readonly tier: Tier;
  readonly runtimes: string;
  readonly only?: string;
  readonly optimizers?: string;
  readonly workloads?: string;
  readonly seeds?: string;
  readonly shard?: string;
  readonly lanes?: string;
  readonly out?: string;
}

/** @param root of the package, where package.json is: a URL ending in a slash */
export async function bench(options: BenchOptions, root: URL): Promise<number> {
  const settings = settingsFrom(options, root);
  const begin = Date.now();
  const { result, failures } = await runBench(settings);
  for (const failure of failures) console.error(printable(`failed: ${failure}`));
  const differing = differingHashes(result);
  for (const difference of differing) console.error(printable(`hashes differ: ${difference}`));
  const { training, hashes } = result;
  console.log(
    printable(
      `${training.runs.length} runs, ${hashes.length} hashes in ${formatTime(Date.now() - begin)}: ${settings.out}` +
        `\nadal report ${settings.out} makes the report`,
    ),
  );
  return failures.length + differing.length === 0 ? 0 : 1;
}

function settingsFrom(options: BenchOptions, root: URL): BenchSettings {
  const { tier } = options;
  const shard = parseShard(options.shard ?? '1/1');
  const suffix = shard.count > 1 ? `-${shard.index}of${shard.count}` : '';
  const out = options.out ?? `bench-results/${tier}${suffix}.json`;
  const places = {
    child: new URL('dist/bench/child.js', root),
    cold: new URL('dist/bench/cold.js', root),
    data: new URL('bench/data/', root),
    peers: new URL('bench/suite/peers/', root),
    site: new URL('dist/site/', root),
    browsers: new URL('tests/runtimes/browsers.js', root),
    runtimes: new URL('tests/runtimes/node_modules/', root),
  };
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
    package: packageOf(root),
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

function commandOf(options: BenchOptions): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return ['adal bench', ...given.map(([name, value]) => `--${name} ${value}`)].join(' ');
}

function packageOf(root: URL): Result['package'] {
  const { name, version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const cwd = fileURLToPath(root);
  let commit: string | null = null;
  if (existsSync(new URL('.git', root))) {
    const git = (...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
    try {
      const dirty =
        git('status', '--porcelain', '--', 'src', 'assembly', 'bench/suite', 'bench/data') !== '';
      commit = git('rev-parse', '--short=12', 'HEAD') + (dirty ? '-dirty' : '');
    } catch {
      // No git here: the result does not know its commit.
    }
  }
  return { name, version, commit };
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
