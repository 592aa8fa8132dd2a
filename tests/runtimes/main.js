/**
 * Runs one suite on every runtime of the matrix that is available here and compares their
 * fingerprints.
 *   node tests/runtimes/main.js runtimes|browsers [name]     only runtimes whose name starts so
 * Prints the table and writes it to tests/runtimes/results/; in CI (ADAL_RESULTS names a folder) it
 * writes only the counts, to that folder. Exits 1 if a test failed, a fingerprint differs, or
 * nothing ran.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleSuite, PROCESS_BUNDLE } from './bundle.js';
import { install } from './install.js';
import { MATRIX } from './matrix.js';
import { failuresOf, passedOf, renderTable } from './table.js';

const [kind, wanted = ''] = process.argv.slice(2);
const RESULTS = resolve(import.meta.dirname, 'results');

async function inSequence(list) {
  const rows = [];
  for (const runtime of list) {
    const begin = Date.now();
    rows.push(await runtime.run(runtime));
    console.log(`${runtime.name}: ${Math.round((Date.now() - begin) / 1000)} s`);
  }
  return rows.flat();
}

if (!(kind in MATRIX))
  throw new Error(`usage: node tests/runtimes/main.js ${Object.keys(MATRIX).join('|')} [name]`);
const chosen = MATRIX[kind].filter(({ name }) => name.startsWith(wanted));
install(kind);
await bundleSuite(kind === 'runtimes' ? { file: PROCESS_BUNDLE, folder: 'dist/node' } : {});
const expected = (await readFile(resolve(import.meta.dirname, 'fingerprint.txt'), 'utf8')).trim();
// Emulated CPUs take as long as all others together, so both groups run at the same time.
const groups = [chosen.filter(({ emulated }) => !emulated), chosen.filter((row) => row.emulated)];
const rows = (await Promise.all(groups.map(inSequence))).flat();
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
