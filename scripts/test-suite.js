/**
 * Runs one suite and shows its output; in CI (ADAL_RESULTS names a folder) also writes its counts
 * there.
 *   node scripts/test-suite.js unit|slow|aspect
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [suite] = process.argv.slice(2);
const folder = process.env.ADAL_RESULTS;
if (folder) mkdirSync(folder, { recursive: true });

function execute(command, args, capture) {
  const { status, stdout } = spawnSync(command, args, {
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
  });
  if (capture) process.stdout.write(stdout ?? '');
  return { status: status ?? 1, stdout };
}

let outcome;
if (suite === 'aspect') {
  outcome = execute('npx', ['asp', '--config', 'as-pect.config.js', '--summary'], true);
  if (folder) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes
    const text = outcome.stdout.replace(/\x1b\[[0-9;]*m/g, '');
    writeFileSync(join(folder, 'aspect.txt'), text);
  }
} else {
  const reporters = folder
    ? [
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${join(folder, `${suite}.json`)}`,
      ]
    : [];
  outcome = execute('npx', ['vitest', 'run', '--project', suite, ...reporters], false);
}
process.exit(outcome.status);
