/**
 * Makes a fresh clone ready: installs from the lock file, then builds, each only if its inputs have
 * changed since the last time. Needs nothing but Node.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

function filesOf(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return entries.flatMap((entry) =>
    entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)],
  );
}

function fingerprint(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** Refuses a linked node_modules: npm would empty the folder behind it, another checkout's. */
function refuseLinkedModules() {
  if (!lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) return;
  console.error(
    'node_modules is a symbolic link, and its packages are not those of package-lock.json: ' +
      'install them in the folder that it points to',
  );
  process.exit(1);
}

function step(name, stamp, files, products, command, check = () => {}) {
  const wanted = fingerprint(files);
  const current = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (current && products.every((product) => existsSync(product))) return;
  check();
  console.log(`${name} …`);
  const { status } = spawnSync(command, { stdio: 'inherit', shell: true });
  if (status !== 0) {
    console.error(`${name} failed: ${command}`);
    process.exit(status ?? 1);
  }
  mkdirSync(join(stamp, '..'), { recursive: true });
  writeFileSync(stamp, wanted);
}

step(
  'Installing dependencies',
  'node_modules/.adal-stamp',
  ['package.json', 'package-lock.json'],
  ['node_modules/assemblyscript'],
  'npm ci --no-audit --no-fund',
  refuseLinkedModules,
);
/** Folders of bench/ that the build does not read. */
const NO_SOURCE = /^bench.(dist|build|results|peers.dist|[^/\\]+.node_modules)[/\\]/;
const sources = [
  ...filesOf('assembly'),
  ...filesOf('src'),
  ...filesOf('bench').filter((file) => !NO_SOURCE.test(file)),
  ...filesOf('scripts'),
  'rollup.config.js',
  'tsconfig.json',
  'package-lock.json',
];
step(
  'Building',
  'build/.adal-stamp',
  sources,
  ['dist/index.js', 'bench/dist/index.js', 'build/optim.simd.wasm'],
  'npm run --silent build',
);
