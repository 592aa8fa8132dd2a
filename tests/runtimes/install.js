/**
 * Installs what is missing: runtimes from npm, browsers and emulators from Debian. A runtime that
 * cannot be installed becomes a row that says so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const EMULATORS = ['qemu-user-static', 'arm64', 'armhf'];
const LIBRARIES = ['libc6', 'libstdc++6', 'libatomic1'];

const packagesFor = {
  runtimes: EMULATORS.flatMap((name) =>
    name.startsWith('qemu') ? name : LIBRARIES.map((library) => `${library}-${name}-cross`),
  ),
  browsers: ['chromium', 'firefox-esr', 'webkit2gtk-driver', 'xvfb', 'xauth'],
};
const programsFor = {
  runtimes: [
    '/usr/bin/qemu-aarch64-static',
    '/usr/bin/qemu-arm-static',
    '/usr/aarch64-linux-gnu',
    '/usr/arm-linux-gnueabihf',
  ],
  browsers: [
    '/usr/bin/chromium',
    '/usr/bin/firefox-esr',
    '/usr/bin/WebKitWebDriver',
    '/usr/bin/xvfb-run',
    '/usr/bin/xauth',
  ],
};

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...options,
  });
  return status === 0;
}

/** @param kind 'runtimes' or 'browsers' */
export function install(kind) {
  const folder = import.meta.dirname;
  if (!existsSync(resolve(folder, 'node_modules/.package-lock.json'))) {
    console.log('Installing runtimes from npm …');
    // Forced, since some are for other CPUs; without scripts, since the binaries are all that is
    // wanted.
    run(
      'npm',
      ['ci', '--force', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: folder },
    );
  }
  if (
    programsFor[kind].every(existsSync) ||
    !existsSync('/usr/bin/apt-get') ||
    process.getuid() !== 0
  )
    return;
  console.log(`Installing ${packagesFor[kind].join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const get = (...args) => run('apt-get', ['-qq', ...args], { env });
  get('update');
  // One by one if need be: a package that this system lacks should not cost the others.
  if (get('install', '-y', '--no-install-recommends', ...packagesFor[kind])) return;
  for (const name of packagesFor[kind]) get('install', '-y', '--no-install-recommends', name);
}
