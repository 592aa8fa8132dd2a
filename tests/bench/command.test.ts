/**
 * `adal bench` as it is typed: results that are whole and valid, taken up where they were left, the
 * same from shards.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../bench/schema/result';
import { mergeFiles } from '../../bench/suite/merge';
import { parseResult } from '../../bench/suite/validate';

const CLI = resolve(import.meta.dirname, '../../dist/cli.js');
const SMALL = [
  '--tier',
  'smoke',
  '--workloads',
  'W0-beale,W1',
  '--optimizers',
  'adal,adam',
  '--only',
  'training,hashes',
];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adal-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const bench = (...args: string[]) =>
  execFileSync(process.execPath, [CLI, 'bench', ...args], { encoding: 'utf8', stdio: 'pipe' });
const read = (path: string): Result => parseResult(readFileSync(path, 'utf8'), path);

/** Runs by what they are, without what a clock told, in no order. */
const figures = ({ training }: Result) =>
  training.runs.map((run) => JSON.stringify({ ...run, secondsPerStep: 0 })).sort();

describe('adal bench', () => {
  it('writes a whole result, whose entries all name its environment', () => {
    const out = join(folder, 'whole.json');
    bench(...SMALL, '--out', out);
    const result = read(out);
    expect(result.complete).toBe(true);
    const ids = new Set(result.environments.map(({ id }) => id));
    for (const { environment } of [...result.training.runs, ...result.hashes])
      expect(ids).toContain(environment);
    expect(result.hashes.length).toBe(4);
    expect(result.training.selections.length).toBe(12);
  });

  it('runs nothing again, and only what is missing', () => {
    const out = join(folder, 'whole.json');
    const before = read(out);
    const cut = structuredClone(before) as {
      training: { runs: Result['training']['runs'] };
    } & Result;
    const lost = cut.training.runs.filter(({ workload }) => workload === 'W1').slice(0, 2);
    cut.training.runs = cut.training.runs.filter((run) => !lost.includes(run));
    writeFileSync(out, JSON.stringify(cut));
    bench(...SMALL, '--out', out);
    const after = read(out);
    expect(figures(after)).toEqual(figures(before));
    const kept = new Set(
      before.training.runs
        .filter((run) => !lost.some((one) => one.hash === run.hash))
        .map((run) => JSON.stringify(run)),
    );
    expect(after.training.runs.filter((run) => kept.has(JSON.stringify(run))).length).toBe(
      kept.size,
    );
  });

  it('keeps the commands that a file came from, each once', () => {
    const out = join(folder, 'parts.json');
    for (const part of ['training', 'hashes', 'training'])
      bench(...SMALL.slice(0, -1), part, '--out', out);
    expect(read(out).commands.map((command) => command.match(/--only (\w+)/)![1])).toEqual([
      'training',
      'hashes',
    ]);
    expect(read(out).hashes).toHaveLength(4);
  });

  it('compares hashes with other runtimes in the file; exits 1 where one differs', () => {
    const out = join(folder, 'hashes.json');
    const result = read(join(folder, 'whole.json')) as Result & {
      environments: object[];
      hashes: object[];
    };
    const elsewhere = 'elsewhere-1';
    result.environments = [...result.environments, { ...result.environments[0], id: elsewhere }];
    const others = result.hashes.map((entry) => ({ ...entry, environment: elsewhere }));
    const run = () =>
      spawnSync(process.execPath, [CLI, 'bench', ...SMALL.slice(0, -1), 'hashes', '--out', out], {
        encoding: 'utf8',
      });
    writeFileSync(out, JSON.stringify({ ...result, hashes: others }));
    expect(run().status).toBe(0);
    expect(read(out).hashes).toHaveLength(8);
    others[1] = { ...others[1], hash: '0123456789abcdef' };
    writeFileSync(out, JSON.stringify({ ...result, hashes: others }));
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(/hashes differ: .*elsewhere-1 (has )?0123456789abcdef/);
  });

  it('gives as shards, merged, what it gives as one', () => {
    const files = [1, 2].map((index) => {
      const out = join(folder, `shard${index}.json`);
      bench(...SMALL, '--lanes', '1', '--shard', `${index}/2`, '--out', out);
      return out;
    });
    const merged = mergeFiles(files, (name) => readFileSync(name, 'utf8'));
    expect(figures(merged)).toEqual(figures(read(join(folder, 'whole.json'))));
    expect(merged.complete).toBe(true);
  });

  it.each<[string, string[], RegExp]>([
    ['an unknown workload', ['--workloads', 'W99'], /"workloads" expected some of .*W99/],
    [
      'an unknown optimizer',
      ['--optimizers', 'adam,newton'],
      /"optimizers" expected some of .*newton/,
    ],
    ['an unknown runtime', ['--runtimes', 'netscape'], /"runtimes" expected some of node/],
    ['a shard out of range', ['--shard', '3/2'], /"shard" expected i\/n/],
    ['no seeds', ['--seeds', '0'], /"seeds" expected an integer/],
  ])('refuses %s', (_, args, message) => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'bench', ...args], {
      encoding: 'utf8',
    });
    expect(status).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
  });

  it('refuses a result file that is truncated, or of another study, and leaves it alone', () => {
    const out = join(folder, 'other.json');
    const text = readFileSync(join(folder, 'whole.json'), 'utf8');
    for (const [content, message] of [
      [text.slice(0, -100), /no JSON, or not all of it/],
      [text.replace('"tier":"smoke"', '"tier":"full"'), /holds another study/],
    ] as const) {
      writeFileSync(out, content);
      const { status, stderr } = spawnSync(
        process.execPath,
        [CLI, 'bench', ...SMALL, '--out', out],
        { encoding: 'utf8' },
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(message);
      expect(readFileSync(out, 'utf8')).toBe(content);
    }
  });
});
