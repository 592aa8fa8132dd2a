/**
 * Repeats what failed and adds up the counts of all suites. Programs read the last line. Exits 1 if
 * anything failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lines of a failed command's output that the summary repeats. */
const LINES_SHOWN = 60;

const [folder] = process.argv.slice(2);
const failedCommands = readdirSync(folder).filter((name) => name.endsWith('.failed'));
let passed = 0;
let failed = failedCommands.length;

for (const name of failedCommands) {
  const log = readFileSync(join(folder, name.replace('.failed', '.log')), 'utf8');
  console.log(`\n== the end of: ${readFileSync(join(folder, name), 'utf8').trim()}`);
  console.log(log.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n'));
}
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
  'parity',
  'report',
  'build',
]) {
  const file = join(folder, `${suite}.json`);
  if (!existsSync(file)) {
    console.log(`no results of ${suite}: it did not run`);
    failed++;
    continue;
  }
  const {
    numPassedTests,
    numFailedTests,
    numFailedTestSuites,
    testResults = [],
  } = JSON.parse(readFileSync(file, 'utf8'));
  passed += numPassedTests;
  failed += Math.max(numFailedTests, Math.sign(numFailedTestSuites));
  for (const { name, status, message, assertionResults } of testResults) {
    if (status === 'passed') continue;
    console.log(`\n== failed in ${suite}: ${name} ${message ?? ''}`);
    for (const { status, fullName, failureMessages } of assertionResults)
      if (status === 'failed') console.log(`${fullName}\n${failureMessages.join('\n')}`);
  }
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
