/** Stores a growing result in a file, and continues a file of the same study. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { stringifyResult } from '../schema/compact';
import type { ListedComparison, Result } from '../schema/result';
import { replaceText } from '../toolkit/replace-text';
import type { Entry } from './result';
import { readResultText } from './result-text';
import { ResultStore } from './store';
import { parseResult, ResultError } from './validate';

const SAVE_EVERY_MS = 10_000;

export class ResultFile extends ResultStore {
  readonly path: string;
  #savedAt = 0;

  /** @throws ResultError when the file is broken or holds another study: it is left alone then */
  constructor(path: string, blank: Result) {
    super(existsSync(path) ? continued(path, blank) : blank);
    this.path = path;
  }

  override add(entry: Entry): void {
    super.add(entry);
    if (Date.now() - this.#savedAt > SAVE_EVERY_MS) this.save();
  }

  /** Whole or not at all. */
  save(): void {
    mkdirSync(dirname(this.path), { recursive: true });
    replaceText(this.path, `${stringifyResult(this.result)}\n`);
    this.#savedAt = Date.now();
  }
}

/** Comparisons of both lists, each once, over the workloads of either. */
function mergeComparisons(
  first: readonly ListedComparison[],
  second: readonly ListedComparison[],
): ListedComparison[] {
  const merged = new Map<string, ListedComparison>();
  for (const { workloads, ...comparison } of [...first, ...second]) {
    const key = JSON.stringify(comparison);
    const known = merged.get(key)?.workloads ?? [];
    merged.set(key, { ...comparison, workloads: [...new Set([...known, ...workloads])] });
  }
  return [...merged.values()];
}

function continued(path: string, blank: Result): Result {
  const found = parseResult(readResultText(path), path);
  const same = (name: 'tier' | 'suiteVersion' | 'shard') =>
    JSON.stringify(found[name]) === JSON.stringify(blank[name]);
  for (const name of ['suiteVersion', 'tier', 'shard'] as const) {
    if (same(name)) continue;
    const [expected, got] = [JSON.stringify(blank[name]), JSON.stringify(found[name])];
    throw new ResultError(
      `${path} holds another study: expected ${name} ${expected}, got ${got}; give another --out`,
    );
  }
  if (found.package.commit !== blank.package.commit) {
    const [now, then] = [blank.package.commit, found.package.commit];
    throw new ResultError(
      `${path} was measured at commit ${then}, this is ${now}; give another --out`,
    );
  }
  const commands = [...new Set([...found.commands, ...blank.commands])];
  const described = new Set(found.optimizers.map(({ id }) => id));
  const optimizers = blank.optimizers.filter(({ id }) => !described.has(id));
  return {
    ...found,
    commands,
    date: blank.date,
    complete: false,
    optimizers: [...found.optimizers, ...optimizers],
    comparisons: mergeComparisons(found.comparisons, blank.comparisons),
  };
}
