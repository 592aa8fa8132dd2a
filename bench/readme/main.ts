/**
 * npm run bench:readme -- <result> [--check]
 *
 * Writes the README's tables of benchmarks from a result of the suite, of bench:optimizers or of
 * bench:train. With --check nothing is written, and the exit code is 1 when the README differs.
 */
import { parseArgs } from 'node:util';
import { readResult } from '../compare/read-result';
import { outdatedSections, writeSections } from '../toolkit/readme-sections';
import { README, sectionsOf } from './sections';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean' } },
  allowPositionals: true,
});
const [path] = positionals;
if (path === undefined) {
  console.error('usage: npm run bench:readme -- <result.json> [--check]');
  process.exit(2);
}
const sections = sectionsOf(readResult(path));
if (!values.check) writeSections(README, sections);
else {
  const outdated = outdatedSections(README, sections);
  if (outdated.length > 0) {
    console.error(`README.md: ${outdated.join(', ')} differ from ${path}`);
    process.exitCode = 1;
  }
}
