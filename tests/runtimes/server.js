/**
 * Serves the pages under several sets of headers, and takes their reports. The first folder of an address names the set:
 * /isolated/page.html and /plain/page.html are the same file.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve } from 'node:path';
import { BUNDLE, ROOT } from './bundle.js';
import { HEADERS } from './headers.js';

/** The bundle lies in a folder as it does in dist/, with the workers' scripts above it. */
const FILES = {
  'page.html': resolve(import.meta.dirname, 'pages/page.html'),
  'page.js': resolve(import.meta.dirname, 'pages/page.js'),
  'page-worker.js': resolve(import.meta.dirname, 'pages/page-worker.js'),
  'chunks/suite.js': BUNDLE,
  'worker.js': resolve(ROOT, 'dist/worker.js'),
  'train-worker.js': resolve(ROOT, 'dist/train-worker.js'),
  'other/worker.js': resolve(ROOT, 'dist/worker.js'),
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };

/** @param onReport called with what a page posted; returns the address to go on to, or null */
export async function startServer(onReport) {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ next: onReport(JSON.parse(body)) }));
      return;
    }
    const [, headers, name] = /^\/([^/]+)\/([^?]*)/.exec(request.url) ?? [];
    if (!(headers in HEADERS) || !(name in FILES)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(name)], 'cache-control': 'no-store', ...HEADERS[headers] });
    response.end(await readFile(FILES[name]));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { origin: `http://localhost:${server.address().port}`, close: () => server.close() };
}
