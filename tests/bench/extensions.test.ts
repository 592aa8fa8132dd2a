/** `adal-bench run --with`: optimizers and workloads of one's own, as bench/examples/ has them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createRuntime } from 'adal-wasm';
import { version } from 'adal-wasm/package.json';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExtensions } from '../../bench/suite/extensions';
import { register, workloadOf } from '../../bench/suite/registry';
import { createRunners } from '../../bench/suite/runners';
import type { Places } from '../../bench/suite/runners/processes';
import { hashAfter } from '../../bench/suite/study/hash-after';
import type { OwnOptimizer } from '../../bench/suite/types';
import { parseResult } from '../../bench/suite/validate';
import { fileSource } from './files';

const BENCH = resolve(import.meta.dirname, '../../bench');
const example = (name: string) => join(BENCH, 'examples', name);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adal-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const file = join(BENCH, 'dist/bin.js');
  return spawnSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8' });
}

function measure(out: string, ...args: string[]) {
  const only = ['--tier', 'smoke', '--lanes', '1', '--only', 'training,hashes'];
  const { status, stderr } = run('run', ...args, ...only, '--out', out);
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
  return parseResult(readFileSync(join(folder, out), 'utf8'), out);
}

type Step = ReturnType<OwnOptimizer['create']>['step'];

describe('an optimizer of one’s own', () => {
  it('is trained as the README writes it, compared with Adam and SGD, and fingerprinted', () => {
    const [, code] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(BENCH, 'README.md'), 'utf8'))!;
    writeFileSync(join(folder, 'sign-sgd.mjs'), code);
    const names = ['--workloads', 'W1', '--optimizers', 'sign-sgd,adam'];
    const result = measure('sign.json', '--with', 'sign-sgd.mjs', ...names);
    expect(result.complete).toBe(true);
    expect(result.optimizers.map(({ id, family }) => [id, family])).toEqual([
      ['adam', 'adam'],
      ['sign-sgd', 'own'],
    ]);
    const own = result.training.runs.filter(({ optimizer }) => optimizer === 'sign-sgd');
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ diverged }) => !diverged)).toBe(true);
    expect(result.hashes).toHaveLength(2);
    expect(result.comparisons.map(({ a, b }) => `${a} ${b}`)).toContain('sign-sgd adam');
    expect(run('report', 'sign.json', '--out', 'sign.md').status).toBe(0);
    expect(readFileSync(join(folder, 'sign.md'), 'utf8')).toContain('signSGD');
  });

  it('has the bits of the library’s SGD when it does the same', async () => {
    const step: Step = (params, grads, lr) => {
      for (const [name, weights] of Object.entries(params)) {
        for (let i = 0; i < weights.length; i++)
          weights[i] -= Math.fround(Math.fround(lr) * grads[name][i]);
      }
    };
    const optimizer = { id: 'plain-sgd', lr: 1e-2, create: () => ({ step }) };
    register(readExtensions({ optimizers: [optimizer] }, 'test'));
    const runtime = await createRuntime({ threads: 1 });
    for (const id of ['W1', 'W3']) {
      const prepared = await workloadOf(id).prepare(fileSource);
      const [plain, library] = await Promise.all(
        ['plain-sgd', 'sgd'].map((name) => hashAfter(prepared, name, 50, runtime)),
      );
      expect([id, plain]).toEqual([id, library]);
    }
    runtime.dispose();
  });
});

describe('a workload of one’s own', () => {
  it('is trained by the library’s optimizers', () => {
    const names = ['--workloads', 'X-spirals', '--optimizers', 'adal,adam'];
    const result = measure('spirals.json', '--with', example('spirals.js'), ...names);
    expect(result.complete).toBe(true);
    const [workload] = result.workloads;
    expect([workload.id, workload.status, workload.epochs]).toEqual(['X-spirals', 'ok', 5]);
    for (const { final } of result.training.runs) expect(final.trainLoss).toBeLessThan(1);
    expect(result.hashes.every(({ status }) => status === 'ok')).toBe(true);
  });
});

describe('readExtensions', () => {
  const create = () => ({ step() {} });
  const prepare = async () => ({ create: async () => ({}) as never });

  it.each<[string, object, RegExp]>([
    ['a module without either', {}, /"with" expected a module that exports optimizers or work/],
    ['a list that is none', { optimizers: {} }, /"m: optimizers" expected an array, got an obj/],
    ['an id with spaces', { optimizers: [{ id: 'a b', lr: 1, create }] }, /optimizers\[0\]\.id/],
    ['no rate', { optimizers: [{ id: 'a', create }] }, /\.lr" expected a number in \(0, ∞\)/],
    ['no create', { optimizers: [{ id: 'a', lr: 1 }] }, /\.create" expected a function, got und/],
    [
      'an unknown schedule',
      { optimizers: [{ id: 'a', lr: 1, create, schedule: 'step' }] },
      /\.schedule" expected constant, cosine, inverse-sqrt, got "step"/,
    ],
    ['no epochs', { workloads: [{ id: 'X', parameters: 1, prepare }] }, /\.epochs" expected/],
    ['a small id', { workloads: [{ id: 'x', parameters: 1, prepare }] }, /a name like 'X1'/],
    ['no parameters', { workloads: [{ id: 'X', epochs: 1, prepare }] }, /\.parameters" exp/],
  ])('refuses %s', (_, module, message) => {
    expect(() => readExtensions(module, 'm')).toThrow(message);
  });
});

describe('--with', () => {
  it('refuses a module that cannot be imported, and an id that is taken', () => {
    const missing = run('run', '--with', 'nothing.js');
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringMatching(/"with" expected/)]);
    const text = readFileSync(example('sign-sgd.js'), 'utf8');
    writeFileSync(join(folder, 'taken.mjs'), text.replace("id: 'sign-sgd'", "id: 'adam'"));
    const taken = run('run', '--with', 'taken.mjs');
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringMatching(/got "adam"/)]);
  });

  it('is refused for browsers and workerd, as a library of another version is', () => {
    const nowhere = new URL('file:///nowhere/');
    const keys = ['child', 'cold', 'data', 'peers', 'site', 'browsers', 'runtimes'];
    const places = {
      ...(Object.fromEntries(keys.map((key) => [key, nowhere])) as object as Places),
      libraryVersion: version,
      extensions: [],
    };
    const reasonOf = (wanted: string, changed: Partial<Places>) =>
      createRunners({ ...places, ...changed })
        .find(({ name }) => name === wanted)!
        .missing();
    const own = { extensions: ['file:///mine.js'] };
    expect(reasonOf('node', own)).toBeNull();
    for (const runtime of ['chromium', 'workerd']) {
      expect(reasonOf(runtime, own)).toMatch(/Node, Deno and Bun alone/);
      expect(reasonOf(runtime, { libraryVersion: '9.0.0' })).toMatch(/but 9\.0\.0 is installed/);
      expect(reasonOf(runtime, {})).toMatch(/not installed|from a checkout alone/);
    }
  });
});
