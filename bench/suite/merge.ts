/** Merges several results into one, and refuses results that do not belong to one study. */
import type { Result, Run } from '../schema/result';
import { type EntryType, keyOf, LISTS } from './result';
import { checkSeeds, parseResult, ResultError } from './validate';

export interface NamedResult {
  /** For errors. */
  readonly name: string;
  readonly result: Result;
}

/** Of a study as such; of the package, another version or commit computes other things. */
const ALIKE = ['suiteVersion', 'tier', 'package', 'comparisons', 'schedules'] as const;
/**
 * What a run's repetition must agree in: its figures are a function of its key. Seconds are not.
 */
const RUN_FIGURES = ['diverged', 'steps', 'final', 'stepsToTarget', 'hash'] as const;
/** Measured once each, or described alike. */
const DESCRIPTIONS: readonly EntryType[] = [
  'workload',
  'optimizer',
  'search',
  'selection',
  'stream',
  'hash',
];

/** The entries of the merged result by key, each with the file that it came from. */
type Present = Map<string, { readonly value: object; readonly from: string }>;

/**
 * Reads and merges result files.
 * @param read gives a file's text
 * @throws ResultError for a file that is truncated or breaks the schema, and for files that do not
 * belong together
 */
export function mergeFiles(names: readonly string[], read: (name: string) => string): Result {
  return mergeResults(names.map((name) => ({ name, result: parseResult(read(name), name) })));
}

export function mergeResults(files: readonly NamedResult[]): Result {
  if (files.length === 0) throw new ResultError('no result to merge');
  const [first, ...others] = files;
  const merged = structuredClone(first.result);
  const present: Present = new Map();
  for (const type of Object.keys(LISTS) as EntryType[]) {
    for (const value of LISTS[type].of(merged)) {
      const key = keyOf(type, value);
      if (present.has(key)) throw new ResultError(`${first.name}: twice the same ${type}: ${key}`);
      present.set(key, { value, from: first.name });
    }
  }
  for (const other of others) {
    checkAlike(first, other);
    for (const type of Object.keys(LISTS) as EntryType[]) addAll(merged, type, other, present);
  }
  checkSeeds(merged, 'the merged result');
  const shards = new Set(files.map(({ result }) => result.shard.index));
  merged.complete =
    files.every(({ result }) => result.complete) && shards.size === first.result.shard.count;
  if (merged.complete) merged.shard = { index: 1, count: 1 };
  merged.commands = [...new Set(files.flatMap(({ result }) => result.commands))];
  merged.date = files
    .map(({ result }) => result.date)
    .sort()
    .at(-1)!;
  return merged;
}

function checkAlike(first: NamedResult, other: NamedResult): void {
  for (const name of ALIKE) {
    const [expected, got] = [
      JSON.stringify(first.result[name]),
      JSON.stringify(other.result[name]),
    ];
    if (expected !== got)
      throw new ResultError(
        `${other.name}: ${name} expected ${expected} as in ${first.name}, got ${got}`,
      );
  }
  const [count, otherCount] = [first.result.shard.count, other.result.shard.count];
  if (count !== otherCount)
    throw new ResultError(
      `${other.name}: a shard of ${otherCount}, but ${first.name} is one of ${count}`,
    );
}

function addAll(
  merged: Result,
  type: EntryType,
  { name, result }: NamedResult,
  present: Present,
): void {
  const list = LISTS[type].of(merged) as object[];
  for (const value of LISTS[type].of(result)) {
    const key = keyOf(type, value);
    const found = present.get(key);
    if (found === undefined) {
      list.push(structuredClone(value));
      present.set(key, { value, from: name });
    } else if (!agrees(type, found.value, value)) {
      throw new ResultError(`${name}: ${key} is not what ${found.from} has`);
    }
  }
}

function agrees(type: EntryType, a: object, b: object): boolean {
  const same = (x: unknown, y: unknown) => JSON.stringify(x) === JSON.stringify(y);
  if (type === 'run') return RUN_FIGURES.every((name) => same((a as Run)[name], (b as Run)[name]));
  if (type === 'environment')
    return same(
      { ...a, date: 0, timerTickMs: 0, warnings: 0 },
      { ...b, date: 0, timerTickMs: 0, warnings: 0 },
    );
  if (type === 'stream' || type === 'workload')
    return same({ ...a, reason: 0 }, { ...b, reason: 0 });
  // The same speed measured twice is two measurements: which of them to show is not for a program
  // to choose.
  return DESCRIPTIONS.includes(type) && same(a, b);
}
