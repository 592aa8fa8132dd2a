/**
 * The report in a real browser: it draws, sorts and toggles, follows light and dark, fits a phone
 * and paper, and logs no error. And the page that the suite runs on by itself, whose result a
 * report is made of.
 *   node tests/runtimes/report.js [folder]     a folder for screenshots, to be looked at
 * Needs the built package. In CI (ADAL_RESULTS names a folder) the counts are kept there. Exits 1
 * when a check failed or none ran.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseResult } from '../../bench/dist/report.js';
import { CHROMIUM_FLAGS, find } from './browsers.js';
import { install } from './install.js';
import { checkSuitePage } from './suite-page.js';

const ROOT = resolve(import.meta.dirname, '../..');
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** Checks share one page, which each opens anew; what the page logs is collected. */
class Reader {
  problems = [];

  constructor(page, address) {
    this.page = page;
    this.address = address;
    page.on('console', (message) => message.type() !== 'log' && this.problems.push(message.text()));
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url()))
        this.problems.push(`asked for ${request.url()}`);
    });
  }

  async open(viewport = DESKTOP, colorScheme = 'light') {
    await this.page.setViewportSize(viewport);
    await this.page.emulateMedia({ colorScheme, media: 'screen' });
    await this.page.goto(this.address);
    await this.page.waitForSelector('html[data-ready]', { timeout: 30_000 });
  }

  /** How many colours each chart shows: a canvas that nothing was drawn on has one. */
  colours() {
    return this.page.$$eval('[data-curves] canvas', (canvases) =>
      canvases.map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
    );
  }

  /** A hash of what each chart looks like. */
  async drawings() {
    const images = await this.page.$$eval('[data-curves] canvas', (canvases) =>
      canvases.map((canvas) => canvas.toDataURL()),
    );
    return images.map((image) => createHash('sha256').update(image).digest('hex'));
  }

  /** The texts of a column of a table. */
  column(table, index) {
    return this.page.$$eval(
      `#${table} tbody tr`,
      (rows, i) => rows.map((row) => row.cells[i].dataset.sort),
      index,
    );
  }
}

const ascending = (values) => [...values].sort((a, b) => a - b);

const CHECKS = {
  'draws a curve chart for each workload and schedule': async (reader) => {
    await reader.open();
    const colours = await reader.colours();
    assert.equal(
      colours.length,
      await reader.page.locator('[data-condition]:not([hidden]) [data-curves]').count(),
    );
    assert.ok(colours.length > 0);
    for (const count of colours) assert.ok(count > 20, `a chart with ${count} colours`);
  },
  'draws its static charts with lines in them': async (reader) => {
    await reader.open();
    const paths = await reader.page.$$eval('svg.plot .series path', (all) =>
      all.map((path) => path.getTotalLength()),
    );
    assert.ok(paths.filter((length) => length > 20).length > 5);
    assert.ok((await reader.page.locator('svg.plot .strip path.dots').count()) > 10);
  },
  'sorts a table by a click, and the other way by another': async (reader) => {
    await reader.open();
    const heading = reader.page.locator('#comparisons-table thead th').nth(3);
    const before = (await reader.column('comparisons-table', 3)).map(Number);
    await heading.locator('button').click();
    assert.equal(await heading.getAttribute('aria-sort'), 'ascending');
    assert.deepEqual((await reader.column('comparisons-table', 3)).map(Number), ascending(before));
    await heading.locator('button').click();
    assert.equal(await heading.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(
      (await reader.column('comparisons-table', 3)).map(Number),
      ascending(before).reverse(),
    );
    assert.equal(await reader.page.locator('#comparisons-table [aria-sort]').count(), 1);
  },
  'sorts by keyboard, with what is missing last in either direction': async (reader) => {
    await reader.open();
    const heading = reader.page.locator('#overview-step-adal thead th').nth(2);
    await heading.locator('button').focus();
    for (const direction of ['ascending', 'descending']) {
      await reader.page.keyboard.press('Enter');
      assert.equal(await heading.getAttribute('aria-sort'), direction);
      const values = await reader.column('overview-step-adal', 2);
      assert.ok(values.includes('') && values.some(Boolean));
      assert.equal(values.indexOf(''), values.filter(Boolean).length);
    }
  },
  'hides and shows a curve': async (reader) => {
    await reader.open();
    const before = await reader.drawings();
    const box = reader.page.locator('#curve-controls input[name=series]').first();
    await box.uncheck();
    assert.notDeepEqual(await reader.drawings(), before);
    await box.check();
    assert.deepEqual(await reader.drawings(), before);
  },
  'says so when no curve is left, and recovers': async (reader) => {
    await reader.open();
    for (const box of await reader.page.locator('#curve-controls input[name=series]').all())
      await box.uncheck();
    assert.equal(await reader.page.locator('[data-curves] canvas').count(), 0);
    assert.ok(await reader.page.getByText('None of the curves chosen').first().isVisible());
    await reader.page.locator('#curve-controls input[name=series]').first().check();
    assert.ok((await reader.colours()).length > 0);
  },
  'goes to other conditions, from steps to time, to other figures, and between scales': async (
    reader,
  ) => {
    await reader.open();
    const seen = new Set([(await reader.drawings())[0]]);
    for (const selector of [
      '[name=condition]:not(:checked)',
      '[value=time]',
      '[name=logX]',
      '[name=logY]',
      '[value=validationLoss]',
    ]) {
      await reader.page.locator(`#curve-controls ${selector}`).first().click();
      const [drawing] = await reader.drawings();
      assert.ok(!seen.has(drawing), `${selector} changed nothing`);
      seen.add(drawing);
    }
  },
  'draws again in other colours when the screen turns dark': async (reader) => {
    await reader.open();
    const light = await reader.drawings();
    await reader.page.emulateMedia({ colorScheme: 'dark' });
    await reader.page.waitForTimeout(200);
    assert.notDeepEqual(await reader.drawings(), light);
    const paper = await reader.page.evaluate(
      () => getComputedStyle(document.documentElement).backgroundColor,
    );
    assert.notEqual(paper, 'rgb(255, 255, 255)');
  },
  'fits a phone: tables scroll, the page does not': async (reader) => {
    await reader.open(PHONE);
    assert.equal(
      await reader.page.evaluate(() => document.documentElement.scrollWidth),
      PHONE.width,
    );
    for (const canvas of await reader.page.locator('[data-curves] canvas').all()) {
      assert.ok((await canvas.boundingBox()).width <= PHONE.width);
    }
  },
  'prints dark on white, even from a dark screen': async (reader) => {
    await reader.open(DESKTOP, 'dark');
    const pdf = await reader.page.pdf({ format: 'A4', printBackground: true });
    assert.ok(pdf.length > 50_000);
    await reader.page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    const paper = await reader.page.evaluate(
      () => getComputedStyle(document.documentElement).backgroundColor,
    );
    assert.equal(paper, 'rgb(255, 255, 255)');
    await reader.page.evaluate(() => dispatchEvent(new Event('afterprint')));
  },
  'gives the result back as it was': async (reader) => {
    await reader.open();
    const waiting = reader.page.waitForEvent('download');
    await reader.page.locator('#download').click();
    const saved = await (await waiting).path();
    assert.deepEqual(
      parseResult(await readFile(saved, 'utf8'), saved),
      JSON.parse(await readFile(RESULT, 'utf8')),
    );
  },
};

const RESULT = join(ROOT, 'bench/schema/example.json');

/** Without scripts there are no curves, and all the rest. */
async function checkWithoutScripts(browser, address) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(address);
  assert.ok((await page.locator('table').count()) > 5);
  assert.ok(await page.getByText('Curves need the script of this page').isVisible());
  assert.ok(!(await page.locator('#curve-controls').isVisible()));
  await context.close();
}

async function takeScreenshots(reader, folder) {
  for (const [name, viewport, scheme] of [
    ['desktop', DESKTOP, 'light'],
    ['dark', DESKTOP, 'dark'],
    ['phone', PHONE, 'light'],
  ]) {
    await reader.open(viewport, scheme);
    await reader.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
  await reader.page.pdf({ path: join(folder, 'print.pdf'), format: 'A4', printBackground: true });
}

async function main() {
  install('browsers');
  const { chromium } = await import('playwright-core');
  const { renderReport } = await import('../../bench/dist/report.js');
  const folder = await mkdtemp(join(tmpdir(), 'adal-report-'));
  const file = join(folder, 'report.html');
  await writeFile(file, renderReport(JSON.parse(await readFile(RESULT, 'utf8'))));
  const address = pathToFileURL(file).href;
  const browser = await chromium.launch({
    executablePath: find('chromium'),
    headless: true,
    args: CHROMIUM_FLAGS,
  });
  const reader = new Reader(await browser.newPage(), address);
  const checks = Object.entries(CHECKS).map(([name, check]) => [name, () => check(reader)]);
  checks.push(['is whole without scripts', () => checkWithoutScripts(browser, address)]);
  checks.push([
    'logged no error and asked for nothing',
    () => assert.deepEqual(reader.problems, []),
  ]);
  const screenshots = process.argv[2] && resolve(process.argv[2]);
  checks.push([
    'comes from the page that runs the suite, too',
    () => checkSuitePage(browser, folder, screenshots),
  ]);
  let failed = 0;
  for (const [name, check] of checks) {
    try {
      await check();
      console.log(`passed: ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED: ${name}\n${error.stack}`);
    }
  }
  if (screenshots) await takeScreenshots(reader, screenshots);
  await browser.close();
  await rm(folder, { recursive: true, force: true });
  return { numPassedTests: checks.length - failed, numFailedTests: failed, numFailedTestSuites: 0 };
}

const counts = await main();
if (process.env.ADAL_RESULTS)
  await writeFile(join(process.env.ADAL_RESULTS, 'report.json'), JSON.stringify(counts));
console.log(`report: ${counts.numPassedTests} passed, ${counts.numFailedTests} failed`);
process.exit(counts.numFailedTests > 0 || counts.numPassedTests === 0 ? 1 : 0);
