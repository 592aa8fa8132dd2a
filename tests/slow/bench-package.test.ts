/** The packed benchmark beside the packed library, in empty folders. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../bench/schema/result';

const ROOT = resolve(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'adal-bench-package-'));
const [both, alone] = ['both', 'alone'].map((name) => join(home, name));

/** Packs what is built, and returns the tarball's path. */
function pack(folder: string): string {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', home];
  const output = execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  const [{ filename }] = JSON.parse(output.slice(output.indexOf('[')));
  return join(home, filename);
}

function install(folder: string, ...packages: string[]): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: 'pipe' });
}

function execute(folder: string, program: string, ...args: string[]) {
  const options = { cwd: folder, encoding: 'utf8' } as const;
  return spawnSync(
    process.execPath,
    [join(folder, 'node_modules/.bin', program), ...args],
    options,
  );
}

const SMALL = ['--tier', 'smoke', '--only', 'hashes', '--workloads', 'W1,W2-iris'];
const read = (name: string): Result => JSON.parse(readFileSync(join(both, name), 'utf8'));

beforeAll(() => {
  const [library, bench] = [pack(ROOT), pack(join(ROOT, 'bench'))];
  install(both, library, bench);
  install(alone, library);
}, 300_000);
afterAll(() => rmSync(home, { recursive: true }));

describe('adal-bench, installed', () => {
  it('runs with its own data on the installed library, and reports', () => {
    const { status, stderr } = execute(both, 'adal-bench', 'run', ...SMALL, '--out', 'a.json');
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
    const { complete, hashes, package: measured } = read('a.json');
    expect(complete).toBe(true);
    expect(measured).toMatchObject({ name: 'adal-wasm', commit: null });
    expect(hashes.length).toBeGreaterThan(0);
    expect(hashes.every(({ status: each }) => each === 'ok')).toBe(true);
    expect(execute(both, 'adal-bench', 'report', 'a.json').status).toBe(0);
    expect(readFileSync(join(both, 'a.html'), 'utf8')).toContain('<!doctype html>');
  });

  it('compares two of its results', () => {
    const { status, stdout } = execute(both, 'adal-bench', 'compare', 'a.json', 'a.json');
    expect(status).toBe(0);
    expect(stdout).not.toBe('');
  });

  it.each(['sign-sgd', 'spirals'])('adds its own example %s', (name) => {
    const example = join(both, `node_modules/adal-bench/examples/${name}.js`);
    const [workload, optimizer] = name === 'spirals' ? ['X-spirals', 'adam'] : ['W1', name];
    const chosen = ['--workloads', workload, '--optimizers', optimizer, '--out', `${name}.json`];
    const tier = ['--tier', 'smoke', '--only', 'hashes'];
    const run = execute(both, 'adal-bench', 'run', '--with', example, ...tier, ...chosen);
    expect([run.status, run.stderr]).toEqual([0, expect.not.stringContaining('failed')]);
    expect(read(`${name}.json`).hashes.map((each) => [each.workload, each.optimizer])).toEqual([
      [workload, optimizer],
    ]);
  });

  it('is what adal bench and adal report run', () => {
    const { status, stderr } = execute(both, 'adal', 'bench', ...SMALL, '--out', 'b.json');
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
    const hashesOf = (name: string) =>
      read(name)
        .hashes.map(({ hash }) => hash)
        .sort();
    expect(hashesOf('b.json')).toEqual(hashesOf('a.json'));
    expect(execute(both, 'adal', 'report', 'b.json', '--out', 'b.md').status).toBe(0);
  });
});

describe('adal-wasm without it', () => {
  it('does not ship the benchmark', () => {
    const dist = join(alone, 'node_modules/adal-wasm/dist');
    expect(existsSync(join(dist, 'cli.js'))).toBe(true);
    for (const name of ['bench', 'site', 'report.js'])
      expect([name, existsSync(join(dist, name))]).toEqual([name, false]);
  });

  it.each(['bench', 'report'])('says how to install it when adal %s is called', (command) => {
    const { status, stdout, stderr } = execute(alone, 'adal', command, 'a.json');
    expect([status, stdout]).toEqual([1, '']);
    const sentence = `${command} needs the package adal-bench: npm install adal-bench`;
    expect(stderr).toBe(`adal: ${sentence}\n`);
  });
});
