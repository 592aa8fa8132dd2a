/**
 * Checks that builds of the same sources have the same bytes, whatever the order in which modules
 * load: builds dist/ several times with different random delays (scripts/random-delays.js) and
 * names the files that differ. Needs build/ (npm run build).
 *
 *   node scripts/check-build.js [--rounds 3] [--seed 1]
 *
 * Exits 1 if a file differs. In CI (ADAL_RESULTS names a folder) it writes the counts there.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seed: { type: 'string', default: '1' } },
});
const ROOT = resolve(import.meta.dirname, '..');
const INPUTS = [
  'assembly',
  'bench',
  'build',
  'scripts',
  'src',
  'package.json',
  'rollup.config.js',
  'tsconfig.json',
];
const LEFT_OUT =
  /^(bench\/(results|dist|build|peers\/dist|[^/]+\/node_modules)|build\/results)(\/|$)/;

/** Returns a new folder with everything that a build reads. */
function copyInputs() {
  const folder = mkdtempSync(join(tmpdir(), 'adal-build-'));
  const filter = (path) => !LEFT_OUT.test(relative(ROOT, path).replaceAll('\\', '/'));
  for (const input of INPUTS)
    cpSync(join(ROOT, input), join(folder, input), { recursive: true, filter });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

/** Returns the SHA-256 of each file of dist/. */
function build(folder, seed) {
  const env = { ...process.env, ADAL_BUILD_DELAYS: String(seed) };
  const rollup = join(ROOT, 'node_modules/rollup/dist/bin/rollup');
  const { status, stderr } = spawnSync(process.execPath, [rollup, '-c'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the build with delays ${seed} failed: ${stderr.slice(-2000)}`);
  const dist = join(folder, 'dist');
  const entries = readdirSync(dist, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  return new Map(files.sort().map((file) => [relative(dist, file), hashOf(file)]));
}

const folder = copyInputs();
const differing = new Set();
try {
  const first = build(folder, Number(options.seed));
  for (let round = 1; round < Number(options.rounds); round++) {
    const seed = Number(options.seed) + round;
    const next = build(folder, seed);
    const names = new Set([...first.keys(), ...next.keys()]);
    const changed = [...names].filter((name) => first.get(name) !== next.get(name));
    for (const name of changed) differing.add(name);
    console.log(`build ${round + 1}, delays ${seed}: ${next.size} files, ${changed.length} differ`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (differing.size > 0) console.error(`files that differ: ${[...differing].sort().join(', ')}`);
if (process.env.ADAL_RESULTS) {
  const failed = Math.sign(differing.size);
  const counts = { numPassedTests: 1 - failed, numFailedTests: failed, numFailedTestSuites: 0 };
  writeFileSync(join(process.env.ADAL_RESULTS, 'build.json'), JSON.stringify(counts));
}
process.exitCode = differing.size > 0 ? 1 : 0;
