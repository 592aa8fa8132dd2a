/**
 * Results are merged only when they belong together: every way in which they may not is refused by
 * name.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../bench/schema/result';
import { mergeFiles, mergeResults } from '../../bench/suite/merge';
import { parseResult } from '../../bench/suite/validate';

const TEXT = readFileSync(resolve(import.meta.dirname, '../../bench/schema/example.json'), 'utf8');
const example = (): Result => JSON.parse(TEXT);

/** The example as two shards, its runs dealt out. */
function shards(): [Result, Result] {
  const halves = [example(), example()] as [Result, Result];
  for (const [position, half] of halves.entries()) {
    half.shard = { index: position + 1, count: 2 };
    half.training.runs = half.training.runs.filter((_, index) => index % 2 === position);
    if (position === 1)
      Object.assign(half, { micro: [], hashes: [], coldStart: [], threadScaling: [] });
    if (position === 1) half.training.speed = [];
  }
  return halves;
}

const named = (...results: Result[]) =>
  results.map((result, index) => ({ name: 'ab'[index], result }));

describe('merging', () => {
  it('of shards gives the whole study', () => {
    const merged = mergeResults(named(...shards()));
    const byKey = (runs: Result['training']['runs']) =>
      runs.map((run) => JSON.stringify(run)).sort();
    expect(byKey(merged.training.runs)).toEqual(byKey(example().training.runs));
    expect(merged.micro).toEqual(example().micro);
    expect([merged.complete, merged.shard]).toEqual([true, { index: 1, count: 1 }]);
    expect(() => parseResult(JSON.stringify(merged), 'merged')).not.toThrow();
  });

  it('takes a repetition with the same figures, whatever its seconds', () => {
    const [a, b] = shards();
    b.training.runs = [...b.training.runs, { ...a.training.runs[0], secondsPerStep: 1 }];
    expect(mergeResults(named(a, b)).training.runs).toHaveLength(example().training.runs.length);
  });

  it('of one shard of two is incomplete', () => {
    expect(mergeResults(named(shards()[0])).complete).toBe(false);
  });

  it.each<[string, (b: Result) => void, RegExp]>([
    ['another suite', (b) => (b.suiteVersion = 2), /^b: suiteVersion expected 1 as in a, got 2/],
    ['another tier', (b) => (b.tier = 'full'), /^b: tier expected/],
    ['another commit', (b) => (b.package.commit = 'abc'), /^b: package expected/],
    ['another number of shards', (b) => (b.shard.count = 3), /^b: a shard of 3, but a is one of 2/],
    [
      'other figures of the same run',
      (b) => (b.training.runs = [{ ...shards()[0].training.runs[0], hash: '0000000000000000' }]),
      /^b: \["run".*is not what a has/,
    ],
    [
      'the same speed measured twice',
      (b) => (b.micro = [{ ...example().micro[0], samples: [1] }]),
      /^b: \["micro".*is not what a has/,
    ],
    [
      'another machine of the same name',
      (b) => (b.environments = [{ ...b.environments[0], cores: 64 }]),
      /^b: \["environment"/,
    ],
  ])('refuses %s', (_, change, message) => {
    const [a, b] = shards();
    change(b);
    expect(() => mergeResults(named(a, b))).toThrow(message);
  });
});

describe('reading', () => {
  const read = (text: string) => () => mergeFiles(['r.json'], () => text);

  it.each([0, 1, 1000, TEXT.length - 3])('refuses a file truncated to %d characters', (length) => {
    expect(read(TEXT.slice(0, length))).toThrow(/^r\.json: no JSON, or not all of it/);
  });

  it.each<[string, (result: Result) => void, RegExp]>([
    [
      'another schema',
      (result) => Object.assign(result, { schemaVersion: 1 }),
      /"schemaVersion" expected 2, got 1/,
    ],
    [
      'a missing list',
      (result) => delete (result as Partial<Result>).hashes,
      /must have required property 'hashes'/,
    ],
    [
      'an unknown field',
      (result) => Object.assign(result, { extra: 1 }),
      /must NOT have additional properties.*extra/,
    ],
    [
      'text for a number',
      (result) => Object.assign(result.training.runs[0], { lr: 'high' }),
      /\/training\/runs\/0\/lr must be number/,
    ],
    [
      'an unknown status',
      (result) => Object.assign(result.micro[0], { status: 'fine' }),
      /\/micro\/0\/status must be equal/,
    ],
  ])('refuses %s, and says where', (_, change, message) => {
    const result = example();
    change(result);
    expect(read(JSON.stringify(result))).toThrow(message);
  });

  it('refuses a file that has an entry twice', () => {
    const result = example();
    result.hashes = [...result.hashes, result.hashes[0]];
    expect(read(JSON.stringify(result))).toThrow(/twice the same hash/);
  });

  it('refuses NaN, which is no JSON', () => {
    expect(read(TEXT.replace('"lr": 0.01', '"lr": NaN'))).toThrow(/no JSON/);
  });
});
