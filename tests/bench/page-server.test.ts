/** The server of the suite's page: what it serves, to whom, and whose reports it takes. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import example from '../../bench/schema/example.json';
import { browserRunners } from '../../bench/suite/runners/browsers';
import { createFileSource } from '../../bench/suite/runners/file-source';
import { parseMessage } from '../../bench/suite/runners/message';
import { MOST_REPORT_BYTES } from '../../bench/suite/runners/page-server';
import type { Places } from '../../bench/suite/runners/processes';
import type { Lane } from '../../bench/suite/runners/runner';

const home = mkdtempSync(join(tmpdir(), 'adal-page-'));
const site = join(home, 'site');
const data = join(home, 'data');
for (const folder of [site, data, join(home, 'peers')]) mkdirSync(folder);
writeFileSync(join(site, 'index.html'), 'the page');
writeFileSync(join(data, 'iris.csv'), '1,2');
writeFileSync(join(home, 'secret.txt'), 'TOP SECRET');
writeFileSync(join(home, 'site-secret.txt'), 'TOP SECRET');
for (const folder of [site, data]) symlinkSync(join(home, 'secret.txt'), join(folder, 'link.txt'));
// A browser that only tells its address.
writeFileSync(
  join(home, 'browsers.mjs'),
  `export const opened = [];
const open = async (url) => { opened.push(url); return async () => {}; };
export const BROWSERS = [{ name: 'Chromium', missing: () => null, open }];`,
);
const folderUrl = (path: string): URL => new URL(`${pathToFileURL(path).href}/`);
const places = {
  data: folderUrl(data),
  peers: folderUrl(join(home, 'peers')),
  site: folderUrl(site),
  browsers: pathToFileURL(join(home, 'browsers.mjs')),
} as Places;

let lane: Lane;
let page: URL;
beforeEach(async () => {
  await lane?.close();
  [lane] = (await browserRunners(places)[0]!.open(1)) as [Lane];
  const { opened } = await import(/* @vite-ignore */ places.browsers.href);
  page = new URL(opened.at(-1));
});
afterAll(async () => {
  await lane.close();
  rmSync(home, { recursive: true });
});

interface Asked {
  method?: string;
  headers?: Record<string, string | undefined>;
  body?: string;
}

/** @param path as it goes over the wire: nothing resolves it */
function ask(
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<{ status: number; text: string }> {
  const given = Object.fromEntries(
    Object.entries({ host: page.host, ...headers }).filter(([, value]) => value !== undefined),
  );
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: page.port,
        path,
        method,
        headers: given as Record<string, string>,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const inPage = (name: string): string => page.pathname.replace('index.html', name);

function report(body: string, job: number, headers: Asked['headers'] = {}) {
  const own = { origin: page.origin, 'content-type': 'application/json' };
  return ask(inPage(`report?job=${job}`), {
    method: 'POST',
    body,
    headers: { ...own, ...headers },
  });
}

describe('files', () => {
  it('of the site and of the data are served below the token', async () => {
    expect(await ask(inPage('index.html'))).toEqual({ status: 200, text: 'the page' });
    expect(await ask(inPage('data/iris.csv'))).toEqual({ status: 200, text: '1,2' });
    expect(page.pathname).toMatch(/^\/[\w-]{32}\/index\.html$/);
  });

  it('outside of them are not, however they are named', async () => {
    const secret = join(home, 'secret.txt');
    const names = [
      secret,
      encodeURIComponent(secret),
      encodeURIComponent(`file://${secret}`),
      `file:///${secret}`,
      '../secret.txt',
      '%2e%2e/secret.txt',
      '%252e%252e/secret.txt',
      '..%2fsecret.txt',
      '../site-secret.txt',
      'link.txt',
      `data/${encodeURIComponent(secret)}`,
      `data/${secret}`,
      'data/../secret.txt',
      'data/%2e%2e/secret.txt',
      'data/link.txt',
      'data/fashion-mnist/../../../../etc/passwd',
      'peers/../secret.txt',
      'peers/..%2fsecret.txt',
      'data',
      '',
      '.',
    ];
    for (const name of names) {
      const { status, text } = await ask(inPage(name));
      expect([name, status, text]).toEqual([name, 404, 'there is no such file']);
    }
  });

  it('are not served without the token, or to another host or site', async () => {
    for (const path of [
      '/index.html',
      '/',
      '//index.html',
      `/${'A'.repeat(32)}/index.html`,
      '/job',
      '*',
    ]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    for (const host of ['attacker.example', `attacker.example:${page.port}`, 'localhost']) {
      expect((await ask(inPage('index.html'), { headers: { host } })).status, host).toBe(421);
    }
    expect(
      (await ask(inPage('index.html'), { headers: { 'sec-fetch-site': 'cross-site' } })).status,
    ).toBe(403);
    expect((await ask(inPage('index.html'), { method: 'POST' })).status).toBe(405);
    expect((await ask(inPage('report?job=1'))).status).toBe(405);
  });

  it('are the only ones that any runtime gets by the name of data', async () => {
    const source = createFileSource(places.data);
    expect(new TextDecoder().decode(await source.load('iris.csv'))).toBe('1,2');
    for (const name of [
      '../secret.txt',
      join(home, 'secret.txt'),
      pathToFileURL(join(home, 'secret.txt')).href,
      'link.txt',
      '%2e%2e/secret.txt',
    ]) {
      await expect(source.load(name), name).rejects.toThrow(/is not here/);
    }
  });
});

describe('reports', () => {
  const entry = { type: 'environment', value: example.environments[0] };

  it('end the job when the page itself says so, after its entries', async () => {
    const entries: unknown[] = [];
    const done = lane.execute({ kind: 'environment' }, (each) => entries.push(each));
    const { number, job } = JSON.parse((await ask(inPage('job'))).text);
    expect(job).toEqual({ kind: 'environment' });
    expect((await report(JSON.stringify({ entry }), number)).status).toBe(204);
    expect((await report('{"done":true}', number)).status).toBe(204);
    await done;
    expect(entries).toEqual([entry]);
  });

  it('that are forged or broken are refused, and the job goes on', async () => {
    let ended = false;
    const entries: unknown[] = [];
    const done = lane
      .execute({ kind: 'environment' }, (each) => entries.push(each))
      .catch((error) => {
        ended = true;
        return (error as Error).message;
      });
    const { number } = JSON.parse((await ask(inPage('job'))).text);
    const done_ = '{"done":true}';
    const foreign = { origin: 'http://attacker.example', 'content-type': 'text/plain' };
    const answers = [
      ask('/report', { method: 'POST', body: done_, headers: foreign }),
      ask('/report', {
        method: 'POST',
        body: done_,
        headers: { origin: page.origin, 'content-type': 'application/json' },
      }),
      report(done_, number, { origin: 'http://attacker.example' }),
      report(done_, number, { origin: 'null' }),
      report(done_, number, { origin: undefined }),
      report(done_, number, { host: 'attacker.example', origin: 'http://attacker.example' }),
      report(done_, number, { 'content-type': 'text/plain' }),
      report(done_, number - 1),
      report(done_, number + 1),
      ...[
        'x',
        'null',
        '',
        '[]',
        '7',
        '{}',
        '{"done":false}',
        '{"done":true,"error":"x"}',
        '{"error":7}',
        '{"entry":null}',
      ].map((body) => report(body, number)),
      ...[
        '{"entry":{"type":"constructor","value":{}}}',
        '{"entry":{"type":"run","value":{}}}',
        `${'['.repeat(1e6)}`,
      ].map((body) => report(body, number)),
    ];
    for (const answer of answers) {
      const { status } = await answer;
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect([ended, entries]).toEqual([false, []]);
    await report('{"error":"the end"}', number);
    expect(await done).toBe('the end');
    expect((await report(done_, number)).status).toBe(400);
  });

  it('of more bytes than any entry has are refused', async () => {
    const entries: unknown[] = [];
    const done = lane.execute({ kind: 'environment' }, (each) => entries.push(each));
    const { number } = JSON.parse((await ask(inPage('job'))).text);
    // The server closes the connection, which may reach this side before the answer does.
    const outcome = await report(' '.repeat(MOST_REPORT_BYTES + 1), number).then(
      ({ status }) => status,
      ({ code }) => code,
    );
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(outcome);
    expect((await report('{"done":true}', number)).status).toBe(204);
    await done;
    expect(entries).toEqual([]);
  });
});

describe('a message', () => {
  it.each<[string, RegExp]>([
    ['{"entry":{"type":"run","value":{}}}', /the run is not valid: it must have required property/],
    ['{"entry":{"type":"toString","value":{}}}', /the type of an entry must be one of environment/],
    ['{"entry":7}', /a message must have an entry/],
    ['{"done":1}', /a message must have an entry, "done": true/],
    ['{', /a message must be JSON/],
    ['null', /a message must be an object/],
    ['['.repeat(100), /nested 32 levels deep/],
  ])('%s is refused', (text, reason) => {
    expect(parseMessage(text)).toMatch(reason);
  });

  it.each(example.training.runs.slice(0, 3))('with a run of the example is taken', (value) => {
    expect(parseMessage(JSON.stringify({ entry: { type: 'run', value } }))).toEqual({
      entry: { type: 'run', value },
    });
  });
});
