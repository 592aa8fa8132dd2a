/**
 * Checks bench/dist/site/, the page that runs the benchmark suite by itself: it runs, shows its
 * measurements, and downloads a valid result.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { HEADERS } from './headers.js';
import { startPageServer } from './page-server.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SITE = join(ROOT, 'bench/dist/site');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const PHONE = { width: 390, height: 844 };
const RUN_TIMEOUT_MS = 180_000;
/** One that needs no download, one with data of the site's own. */
const WORKLOADS = ['W0-beale', 'W2-iris'];
const OPTIMIZERS = ['adal', 'adam'];

/** As any server would, with the headers that threads need. */
async function serveSite() {
  const { url, close } = await startPageServer(async (name) => {
    try {
      const content = await readFile(await pathOf(name));
      return {
        headers: {
          'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
          ...HEADERS.isolated,
        },
        content,
      };
    } catch {
      return null;
    }
  });
  return { address: `${url}/index.html`, close };
}

/**
 * The path of a file of the site, after links were followed. @throws Error when it lies elsewhere
 */
async function pathOf(name) {
  const [root, path] = [await realpath(SITE), await realpath(join(SITE, name))];
  if (!path.startsWith(root + sep)) throw new Error(`${name} lies outside of the site`);
  return path;
}

/**
 * Other libraries are not part of the site: that they are missing is a row of the result, and the
 * browser's own message.
 */
const isPeer = (message) => message.location().url.includes('/peers/');

/** Clicks, and waits until the page says how it went. */
async function run(page) {
  await page.locator('#start').click();
  await page.waitForSelector('#start:not([disabled])', { timeout: RUN_TIMEOUT_MS });
  return page.locator('#status').textContent();
}

/**
 * @param folder for the files that the page gives
 * @param screenshots a folder, if they are wanted
 */
export async function checkSuitePage(browser, folder, screenshots) {
  const { address, close } = await serveSite();
  const page = await browser.newPage();
  const problems = [];
  page.on(
    'console',
    (message) => message.type() === 'error' && !isPeer(message) && problems.push(message.text()),
  );
  page.on('pageerror', (error) => problems.push(String(error)));
  try {
    await page.goto(`${address}?workloads=W99`);
    assert.match(await run(page), /workloads.*W99/);
    await page.goto(`${address}?workloads=${WORKLOADS}&optimizers=${OPTIMIZERS}`);
    assert.match(await run(page), /^Complete/);
    assert.ok((await page.locator('#rows tr').count()) > 4);
    if (screenshots)
      await page.screenshot({ path: join(screenshots, 'suite-page.png'), fullPage: true });
    await page.setViewportSize(PHONE);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    await checkResult(page, join(folder, 'page.json'));
    assert.deepEqual(problems, []);
  } finally {
    await page.close();
    close();
  }
}

/** Making a report of it is what validates it: against the schema, and every reference. */
async function checkResult(page, file) {
  const waiting = page.waitForEvent('download');
  await page.locator('#download').click();
  await (await waiting).saveAs(file);
  execFileSync(process.execPath, [
    join(ROOT, 'dist/cli.js'),
    'report',
    file,
    '--out',
    file.replace('.json', '.html'),
  ]);
  const { complete, environments, workloads, training, hashes, micro, threadScaling, streams } =
    JSON.parse(await readFile(file, 'utf8'));
  assert.equal(complete, true);
  assert.deepEqual(
    environments.map(({ runtime, isolated }) => ({ runtime, isolated })),
    [{ runtime: 'chromium', isolated: true }],
  );
  assert.deepEqual(
    workloads.map(({ id, status }) => [id, status]),
    WORKLOADS.map((id) => [id, 'ok']),
  );
  assert.equal(hashes.length, WORKLOADS.length * OPTIMIZERS.length);
  for (const list of [training.runs, training.speed, micro, threadScaling, streams]) {
    assert.ok(list.some(({ status = 'ok' }) => status === 'ok'));
  }
}
