/**
 * Installs the packed tarball into every consumer here, outside the repository, and runs its `npm test`, which prints the
 * fingerprint of what it trained: one line a consumer, then a count. A consumer passes when it ends with 0 and all its
 * fingerprints are those of this process.
 *
 *   node tests/consumers/run.js [names…]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { train } from './shared/train.js';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
/** Kept between runs, so that only the tarball is installed anew. */
const STAGE = join(tmpdir(), 'adal-consumers');
const MINUTES = 60_000;
const FINGERPRINT = /fingerprint [0-9a-f]{8}/g;

function pack() {
  const output = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', STAGE], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return join(STAGE, JSON.parse(output)[0].filename);
}

/** Debian's Chromium, where a consumer needs a browser and this is a machine to install it on. */
function installChromium() {
  if (process.env.ADAL_CHROMIUM || existsSync('/usr/bin/chromium') || process.getuid?.() !== 0) return;
  spawnSync('sh', ['-c', 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium'], { stdio: 'ignore' });
}

/** Copies the consumer with what it shares with the others, and installs what it needs. */
function stage(name, tarball) {
  const folder = join(STAGE, name);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    if (file !== 'node_modules') rmSync(join(folder, file), { recursive: true });
  }
  cpSync(join(HERE, name), folder, { recursive: true });
  cpSync(join(HERE, 'shared'), folder, { recursive: true });
  // Without "type": "module" the shared code needs the extension.
  if (name === 'node-require') renameSync(join(folder, 'train.js'), join(folder, 'train.mjs'));
  rmSync(join(folder, 'node_modules/adal-wasm'), { recursive: true, force: true });
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock', tarball];
  const { status, stderr } = spawnSync('npm', install, { cwd: folder, encoding: 'utf8', timeout: 10 * MINUTES });
  return { folder, problem: status === 0 ? null : `npm install failed: ${lastLine(stderr)}` };
}

function lastLine(text) {
  const lines = (text ?? '').trim().split('\n');
  return lines.filter((line) => /error/i.test(line)).at(0) ?? lines.at(-1);
}

/** Runs one consumer: {status: 'passed' | 'failed' | 'not run', detail}. */
function runConsumer(name, tarball, wanted) {
  const { folder, problem } = stage(name, tarball);
  if (problem) return { status: 'not run', detail: problem };
  const needsBrowser = existsSync(join(folder, 'node_modules/playwright-core'));
  if (needsBrowser && !existsSync(process.env.ADAL_CHROMIUM ?? '/usr/bin/chromium')) {
    return { status: 'not run', detail: 'no Chromium here' };
  }
  const env = { ...process.env, ADAL_TARBALL: tarball, NEXT_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0' };
  const options = { cwd: folder, encoding: 'utf8', env, timeout: 5 * MINUTES };
  const { status, signal, stdout, stderr } = spawnSync('npm', ['test'], options);
  const found = stdout.match(FINGERPRINT) ?? [];
  writeFileSync(join(folder, 'output.txt'), stdout + stderr);
  if (status !== 0) return { status: 'failed', detail: `${signal ?? `exit code ${status}`}: ${lastLine(stderr || stdout)}` };
  if (name === 'lint') return { status: 'passed', detail: 'publint and arethetypeswrong have nothing to say' };
  const right = found.length > 0 && found.every((line) => line === wanted);
  return {
    status: right ? 'passed' : 'failed',
    detail: right ? `${wanted} × ${found.length}` : `${found.join(', ')}, not ${wanted}`,
  };
}

mkdirSync(STAGE, { recursive: true });
const chosen = process.argv.slice(2);
const isConsumer = (name) => existsSync(join(HERE, name, 'package.json')) && (chosen.length === 0 || chosen.includes(name));
const names = readdirSync(HERE).filter(isConsumer);
const tarball = pack();
installChromium();
const [wanted] = (await train()).match(FINGERPRINT);
const counts = { passed: 0, failed: 0, 'not run': 0 };
for (const name of names) {
  const start = Date.now();
  const { status, detail } = runConsumer(name, tarball, wanted);
  counts[status]++;
  const { devDependencies, dependencies } = JSON.parse(readFileSync(join(HERE, name, 'package.json'), 'utf8'));
  const versions = Object.entries({ ...dependencies, ...devDependencies }).map((pair) => pair.join(' '));
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  console.log(`${status.padEnd(7)} ${name.padEnd(13)} ${detail} (${[...versions, `${seconds} s`].join(', ')})`);
}
console.log(
  Object.entries(counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(', '),
);
if (process.env.ADAL_RESULTS) writeFileSync(join(process.env.ADAL_RESULTS, 'consumers.json'), JSON.stringify(counts));
process.exit(counts.failed > 0 ? 1 : 0);
