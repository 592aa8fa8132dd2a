/**
 * The server of the test matrix's pages: it serves its own files, to its own page, and outlives
 * whatever else it is sent.
 */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
// @ts-expect-error JavaScript without declarations
import { startServer } from '../runtimes/server.js';

let server: { url: string; close(): void };
const reports: unknown[] = [];
beforeAll(async () => {
  server = await startServer((report: { id?: unknown }) => {
    if (typeof report?.id !== 'number') throw new Error('it names no task');
    reports.push(report);
    return 'next';
  });
});
afterAll(() => server.close());

function ask(
  path: string,
  method = 'GET',
  body = '',
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const { host, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { host, ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve([response.statusCode!, text]));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

it('serves a page under its headers below the token, and nothing else', async () => {
  const { pathname } = new URL(server.url);
  const [status, text] = await ask(`${pathname}/isolated/page.html?id=0`);
  expect([status, text]).toEqual([200, expect.stringContaining('page.js')]);
  const others = [
    '/isolated/page.html',
    `${pathname}/constructor/page.html`,
    `${pathname}/isolated/toString`,
    `${pathname}/isolated/../../package.json`,
  ];
  for (const path of [...others, `${pathname}/isolated/%2e%2e/%2e%2e/package.json`, '*']) {
    expect((await ask(path))[0], path).toBe(404);
  }
  expect(
    (await ask(`${pathname}/isolated/page.html`, 'GET', '', { host: 'attacker.example' }))[0],
  ).toBe(421);
});

it('takes reports of its own page alone, and goes on after bad ones', async () => {
  const { pathname, origin } = new URL(server.url);
  const own = { origin, 'content-type': 'application/json' };
  const path = `${pathname}/report`;
  const refused = [
    await ask('/report', 'POST', '{"id":0}', own),
    await ask(path, 'POST', '{"id":0}', { ...own, origin: 'http://attacker.example' }),
    await ask(path, 'POST', '{"id":0}', { ...own, 'content-type': 'text/plain' }),
    await ask(path, 'POST', '{"id":0}', {}),
    await ask(path, 'POST', 'x', own),
    await ask(path, 'POST', 'null', own),
    await ask(path, 'POST', '{"id":"0"}', own),
  ];
  expect(refused.map(([status]) => status)).toEqual([404, 403, 415, 403, 400, 400, 400]);
  expect(reports).toEqual([]);
  expect(await ask(path, 'POST', '{"id":0}', own)).toEqual([200, '{"next":"next"}']);
  expect(reports).toEqual([{ id: 0 }]);
});
