/**
 * Writes the README's tables of benchmarks from a committed result (needs `npm run build`).
 *   node scripts/readme-tables.js bench/results/standard-2026-11-23.json.gz [--check]
 * With --check nothing is written; exits 1 when the README differs from the result.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { parseResult, readmeTables, replaceTables } from '../bench/dist/report.js';
import { replaceFile } from './replace-file.js';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean' } },
  allowPositionals: true,
});
const [source] = positionals;
if (!source) throw new Error('usage: node scripts/readme-tables.js <result.json> [--check]');

const readme = new URL('../README.md', import.meta.url);
const before = await readFile(readme, 'utf8');
const bytes = await readFile(source);
const result = parseResult((source.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString(), source);
const after = replaceTables(before, readmeTables(result));
if (!values.check) replaceFile(readme, after);
else if (after !== before) {
  console.error(
    `README.md is not what ${source} gives: run node scripts/readme-tables.js ${source}`,
  );
  process.exitCode = 1;
}
