/** `adal-bench serve`: the page with its files, for this machine alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';

const BENCH = resolve(import.meta.dirname, '../../bench');
const BIN = join(BENCH, 'dist/bin.js');

let server: ChildProcess;
let ended: Promise<number | null>;
let page: string;
beforeAll(async () => {
  server = spawn(process.execPath, [BIN, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  ended = new Promise((end) => server.on('exit', end));
  page = await new Promise((found) =>
    createInterface({ input: server.stdout! }).once('line', found),
  );
});
afterAll(() => {
  server.kill('SIGKILL');
});

const ask = (name: string, options?: RequestInit) => fetch(new URL(name, page), options);

it('serves the page, its scripts and its data, isolated so that threads work', async () => {
  const response = await ask('index.html');
  expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(await response.text()).toContain('page.js');
  expect((await ask('page-worker.js')).status).toBe(200);
  const iris = readFileSync(join(BENCH, 'data/iris.csv'), 'utf8');
  expect(await (await ask('data/iris.csv')).text()).toBe(iris);
});

it('answers nothing but files of the page, and has no jobs', async () => {
  expect((await ask('../index.html')).status).toBe(404);
  expect((await ask('nothing.js')).status).toBe(404);
  expect((await ask('job')).status).toBe(404);
  expect((await ask('report', { method: 'POST', body: '{}' })).status).toBe(404);
});

it('refuses a port that is none', () => {
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'serve', '--port', '65536'], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('"port" expected an integer in [0, 65535], got 65536');
});

it('ends with 0 when it is interrupted', async () => {
  server.kill('SIGINT');
  expect(await ended).toBe(0);
});
