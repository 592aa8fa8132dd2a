/**
 * Serves the pages under several sets of headers and receives their reports. The first folder of an
 * address, after the token, names the set: isolated/page.html and plain/page.html are the same
 * file.
 */
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { BUNDLE, ROOT } from './bundle.js';
import { HEADERS } from './headers.js';
import { startPageServer } from './page-server.js';

/** The bundle is in a folder below the workers' scripts, as the chunks are in dist/. */
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

/**
 * Starts the server.
 * @param onReport receives what a page posted; returns the address of the next page or null; throws
 * for anything that is not a report
 * @returns {url, close}: the address that folders and files are appended to
 */
export function startServer(onReport) {
  async function find(path) {
    const [, headers, name] = /^([^/]+)\/(.*)$/.exec(path) ?? [];
    if (!headers || !Object.hasOwn(HEADERS, headers) || !Object.hasOwn(FILES, name)) return null;
    return {
      headers: { 'content-type': TYPES[extname(name)], ...HEADERS[headers] },
      content: await readFile(FILES[name]),
    };
  }
  return startPageServer(find, (report) => ({ next: onReport(report) }));
}
