/** Opens pages in Debian's Chromium and serves folders to it. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
};
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];
FLAGS.push('--disable-component-update', '--disable-sync');

/** Serves `folder` while `body` runs, and calls `body` with the address. */
export async function withServer(folder, body) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    try {
      const content = await readFile(file);
      response
        .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
        .end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await body(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/**
 * Opens the page, waits until it has written its line into #result, and returns the line. Throws
 * errors of the page.
 */
export async function resultOf(url, timeout = 60_000) {
  const executablePath = process.env.ADAL_CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false, args: FLAGS });
  try {
    const page = await browser.newPage();
    const failed = new Promise((_, reject) => page.on('pageerror', reject));
    await page.goto(url);
    const written = page.locator('#result:not(:empty)');
    await Promise.race([written.waitFor({ state: 'attached', timeout }), failed]);
    return await written.textContent();
  } finally {
    await browser.close();
  }
}
