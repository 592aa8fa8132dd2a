/**
 * Runs small projects against the package as npm would install it: copies each out of the
 * repository, installs the packed tarball and its other dependencies, and runs its `npm test`.
 * Prints a line for each project, then the counts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const MINUTE = 60_000;
const CHROMIUM = process.env.ADAL_CHROMIUM ?? '/usr/bin/chromium';

/** Packs the package as it would be published; returns the tarball's path. */
function pack(folder) {
  const options = { cwd: ROOT, encoding: 'utf8' };
  const output = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
    options,
  );
  return join(folder, JSON.parse(output)[0].filename);
}

/** Installs Debian's Chromium where permissions allow it. */
function installChromium() {
  if (existsSync(CHROMIUM) || process.getuid?.() !== 0) return;
  spawnSync(
    'sh',
    ['-c', 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium'],
    { stdio: 'ignore' },
  );
}

/**
 * Copies a project with the shared files and installs its dependencies, keeping node_modules from
 * earlier runs. Returns why that failed, or null.
 */
function stage(source, folder, shared, tarball) {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    if (file !== 'node_modules') rmSync(join(folder, file), { recursive: true });
  }
  cpSync(source, folder, { recursive: true });
  for (const file of shared) cpSync(file, join(folder, basename(file)));
  rmSync(join(folder, 'node_modules/adal-wasm'), { recursive: true, force: true });
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock', tarball];
  const { status, stderr } = spawnSync('npm', install, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 10 * MINUTE,
  });
  if (status !== 0) return `npm install failed: ${firstError(stderr)}`;
  const needsBrowser = existsSync(join(folder, 'node_modules/playwright-core'));
  return needsBrowser && !existsSync(CHROMIUM) ? 'no Chromium here' : null;
}

function firstError(text = '') {
  const lines = text.trim().split('\n');
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
}

/**
 * Runs a project and returns {status: 'passed' | 'failed' | 'not run', detail}. Writes the
 * project's whole output to a file beside it.
 */
function runProject(folder, tarball, judge) {
  const env = {
    ...process.env,
    ADAL_TARBALL: tarball,
    NEXT_TELEMETRY_DISABLED: '1',
    FORCE_COLOR: '0',
  };
  // `timeout` also ends processes that the project has started.
  const command = ['--kill-after=10', '300', 'npm', '--silent', 'test'];
  const { status, stdout, stderr } = spawnSync('timeout', command, {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  writeFileSync(join(folder, 'output.txt'), stdout + stderr);
  if (status !== 0) {
    return {
      status: 'failed',
      detail: `exit code ${status}: ${firstError(stderr || stdout)} (${folder}/output.txt)`,
    };
  }
  const { passed, detail } = judge(basename(folder), stdout);
  return { status: passed ? 'passed' : 'failed', detail };
}

function versionsOf(folder) {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  return Object.entries({ ...dependencies, ...devDependencies }).map(
    ([name, version]) => `${name} ${version}`,
  );
}

/**
 * Runs every folder of `home` that has a package.json, or those named on the command line; exits 1
 * if one failed.
 *
 * @param home folder of projects
 * @param shared files to copy into each project
 * @param judge (name, output) => {passed, detail} for a project that exited with 0
 * @param suite name of the results file
 */
export function runProjects({ home, shared, judge, suite }) {
  const work = join(tmpdir(), `adal-${suite}`);
  mkdirSync(work, { recursive: true });
  const tarball = pack(work);
  installChromium();
  const chosen = process.argv.slice(2);
  const names = readdirSync(home).filter((name) => existsSync(join(home, name, 'package.json')));
  const counts = { passed: 0, failed: 0, 'not run': 0 };
  for (const name of names.filter((name) => chosen.length === 0 || chosen.includes(name))) {
    const start = Date.now();
    const problem = stage(join(home, name), join(work, name), shared, tarball);
    const { status, detail } = problem
      ? { status: 'not run', detail: problem }
      : runProject(join(work, name), tarball, judge);
    counts[status]++;
    const seconds = `${((Date.now() - start) / 1000).toFixed(1)} s`;
    console.log(
      `${status.padEnd(7)} ${name.padEnd(13)} ${detail} ` +
        `(${[...versionsOf(join(home, name)), seconds].join(', ')})`,
    );
  }
  const summary = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  console.log(`${suite}: ${summary.join(', ')}`);
  if (process.env.ADAL_RESULTS) {
    const result = {
      numPassedTests: counts.passed,
      numFailedTests: counts.failed,
      numFailedTestSuites: 0,
    };
    writeFileSync(join(process.env.ADAL_RESULTS, `${suite}.json`), JSON.stringify(result));
  }
  process.exit(counts.failed > 0 ? 1 : 0);
}
