/** Adds up the counts of all suites. Programs read the last line. Exits 1 if anything failed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedCommands] = process.argv.slice(2);
let passed = 0;
let failed = Number(failedCommands);
for (const suite of [
  'unit',
  'slow',
  'fuzz',
  'kills',
  'runtimes',
  'browsers',
  'consumers',
  'examples',
  'adopters',
  'report',
  'build',
]) {
  const file = join(folder, `${suite}.json`);
  if (!existsSync(file)) {
    console.log(`no results of ${suite}: it did not run`);
    failed++;
    continue;
  }
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  passed += numPassedTests;
  failed += Math.max(numFailedTests, Math.sign(numFailedTestSuites));
}
const aspect = join(folder, 'aspect.txt');
const tests = existsSync(aspect)
  ? /\[Tests\]: .*?(\d+)\D*\/ (\d+)/.exec(readFileSync(aspect, 'utf8'))
  : null;
if (tests) {
  passed += Number(tests[1]);
  failed += Number(tests[2]) - Number(tests[1]);
} else {
  console.log('no results of as-pect: its suite did not run');
  failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
