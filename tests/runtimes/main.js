/**
 * The matrix: the same suite on every runtime that can be had here, one fingerprint for all.
 *   node tests/runtimes/main.js runtimes|browsers [name]     only runtimes whose name begins so
 * Prints the table and writes it to tests/runtimes/results/; in CI (ADAL_RESULTS names a folder)
 * only the counts are kept, there. Exits 1 when a test failed, a fingerprint differs, or nothing
 * ran.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleSuite, PROCESS_BUNDLE } from './bundle.js';
import { install } from './install.js';
import { BROWSERS, runBrowser } from './pages.js';
import { PROCESSES, runProcess, whyMissing } from './processes.js';
import { failuresOf, passedOf, renderTable } from './table.js';
import { runWorkerd } from './workerd.js';

const [kind, wanted = ''] = process.argv.slice(2);
const RESULTS = resolve(import.meta.dirname, 'results');

async function inTurn(list, body) {
  const rows = [];
  for (const each of list) {
    const begin = Date.now();
    const row = await body(each);
    console.log(`${each.name}: ${Math.round((Date.now() - begin) / 1000)} s`);
    rows.push(row);
  }
  return rows.flat();
}

const runOrSay = (runtime) => {
  const unavailable = whyMissing(runtime);
  return unavailable
    ? { runtime: runtime.name, cells: [], passed: 0, failures: [], notes: [], unavailable }
    : runProcess(runtime);
};

/** Emulated CPUs take as long as all others together: both at once. */
async function runRuntimes() {
  const chosen = PROCESSES.filter(({ name }) => name.startsWith(wanted));
  const workerd = { name: 'workerd' };
  const here = [
    ...chosen.filter(({ native }) => native),
    ...(workerd.name.startsWith(wanted) ? [workerd] : []),
  ];
  const rows = await Promise.all([
    inTurn(here, (runtime) => (runtime === workerd ? runWorkerd() : runOrSay(runtime))),
    inTurn(
      chosen.filter(({ native }) => !native),
      runOrSay,
    ),
  ]);
  return rows.flat();
}

const runBrowsers = () =>
  inTurn(
    BROWSERS.filter(({ name }) => name.startsWith(wanted)),
    runBrowser,
  );

const KINDS = { runtimes: runRuntimes, browsers: runBrowsers };
if (!(kind in KINDS))
  throw new Error(`usage: node tests/runtimes/main.js ${Object.keys(KINDS).join('|')} [name]`);
install(kind);
await bundleSuite(kind === 'runtimes' ? { file: PROCESS_BUNDLE, folder: 'dist/node' } : {});
const expected = (await readFile(resolve(import.meta.dirname, 'fingerprint.txt'), 'utf8')).trim();
const rows = await KINDS[kind]();
const failures = rows.flatMap((row) => failuresOf(row, expected));
const passed = rows.reduce((sum, row) => sum + passedOf(row), 0);
const text = `${renderTable(rows)}\n`;
console.log(`\n${text}`);
for (const failure of failures) console.log(`FAILED ${failure}\n`);
console.log(`${kind}: ${passed} passed, ${failures.length} failed; fingerprint ${expected}`);

const summary = process.env.ADAL_RESULTS;
if (summary) {
  const counts = {
    numPassedTests: passed,
    numFailedTests: failures.length,
    numFailedTestSuites: 0,
  };
  await writeFile(join(summary, `${kind}.json`), JSON.stringify(counts));
} else if (!wanted) {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, `${kind}.md`), text);
  await writeFile(
    join(RESULTS, `${kind}.json`),
    `${JSON.stringify({ fingerprint: expected, rows }, null, 1)}\n`,
  );
}
process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
