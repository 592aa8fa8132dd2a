/** A result as it grows, on disk. Invariant: the file is a valid result at any time; an entry is in it once. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AdalError } from '../../src/index';
import type { Result, Run } from '../schema/result';
import { type Entry, type EntryType, keyOf, LISTS } from './result';
import { parseResult } from './validate';

const SAVE_EVERY_MS = 10_000;

export class ResultFile {
  readonly path: string;
  readonly result: Result;
  readonly #keys = new Set<string>();
  #savedAt = 0;

  /** Goes on with what the file holds, if it holds the same study; with `blank` otherwise. */
  constructor(path: string, blank: Result) {
    this.path = path;
    this.result = existsSync(path) ? continued(path, blank) : blank;
    for (const type of Object.keys(LISTS) as EntryType[]) {
      for (const value of LISTS[type].of(this.result)) this.#keys.add(keyOf(type, value));
    }
  }

  has(type: EntryType, identity: object): boolean {
    return this.#keys.has(keyOf(type, identity));
  }

  runs(filter: (run: Run) => boolean): Run[] {
    return this.result.training.runs.filter(filter);
  }

  add({ type, value }: Entry): void {
    const key = keyOf(type, value);
    const list = LISTS[type].of(this.result) as object[];
    if (this.#keys.has(key)) {
      const index = list.findIndex((each) => keyOf(type, each) === key);
      list[index] = value;
    } else list.push(value);
    this.#keys.add(key);
    if (Date.now() - this.#savedAt > SAVE_EVERY_MS) this.save();
  }

  /** Whole or not at all. */
  save(): void {
    mkdirSync(dirname(this.path), { recursive: true });
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify(this.result)}\n`);
    renameSync(temporary, this.path);
    this.#savedAt = Date.now();
  }
}

function continued(path: string, blank: Result): Result {
  const found = parseResult(readFileSync(path, 'utf8'), path);
  const same = (name: 'tier' | 'suiteVersion' | 'shard') => JSON.stringify(found[name]) === JSON.stringify(blank[name]);
  for (const name of ['suiteVersion', 'tier', 'shard'] as const) {
    if (same(name)) continue;
    const [expected, got] = [JSON.stringify(blank[name]), JSON.stringify(found[name])];
    throw new AdalError('RESULT', `${path} holds another study: expected ${name} ${expected}, got ${got}; give another --out`);
  }
  if (found.package.commit !== blank.package.commit) {
    const [now, then] = [blank.package.commit, found.package.commit];
    throw new AdalError('RESULT', `${path} was measured at commit ${then}, this is ${now}; give another --out`);
  }
  return { ...found, date: blank.date, complete: false };
}
