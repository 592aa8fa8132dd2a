/**
 * npm run bench:cold-start — from the import to the first AdaL step of 1,000 parameters, beyond the
 * runtime's own start: medians over fresh processes of Node, Deno and Bun and fresh instances of
 * workerd, and what starting threads adds.
 *
 *   node bench/micro/cold-start.js [--rounds 25] [--out folder]
 *
 * Runtimes take turns, so that a busy moment of the machine is shared by all. Other runtimes than
 * this Node are those of tests/runtimes (npm ci there).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { replaceFile } from '../../scripts/replace-file.js';
import { environment } from '../harness/environment.js';
import { mad, median } from '../harness/stats.js';
import { createTable } from '../harness/table.js';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '25' }, out: { type: 'string' } },
});
const ROUNDS = Number(options.rounds);
const ROOT = resolve(import.meta.dirname, '../..');
const INSTALLED = resolve(ROOT, 'tests/runtimes/node_modules');
const CHILD = resolve(import.meta.dirname, 'first-step.js');
const THREADS = [1, 2, 4];
/** Milliseconds that a start may take. */
const LIMITS = { Node: 15, workerd: 5 };

const PROCESSES = [
  [`Node ${process.versions.node.split('.')[0]}`, process.execPath],
  ...[20, 22, 24, 26].map((major) => [`Node ${major}`, join(INSTALLED, `node-${major}/bin/node`)]),
  [
    'Deno',
    join(INSTALLED, '@deno/linux-x64-glibc/deno'),
    'run',
    '--no-prompt',
    '--node-modules-dir=manual',
  ],
  ['Bun', join(INSTALLED, '@oven/bun-linux-x64/bin/bun')],
];

/** By name: command lines of the runtimes that are here. */
function findRuntimes() {
  const found = new Map();
  for (const [name, program, ...flags] of PROCESSES) {
    if (existsSync(program) && !found.has(name)) found.set(name, [program, ...flags]);
  }
  return found;
}

function runFresh([program, ...flags], threads = []) {
  const output = execFileSync(program, [...flags, CHILD, ...threads.map(String)], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

const WORKER = `export default {
  async fetch() {
    const begin = performance.now();
    const { createOptimizer } = await import('./library.js');
    const imported = performance.now();
    const optimizer = await createOptimizer('adal', { w: { shape: [1000] } });
    optimizer.step({ w: new Float32Array(1000).fill(0.1) });
    const end = performance.now();
    return Response.json({ importMs: imported - begin, runtimeMs: 0, totalMs: end - begin });
  },
};`;

/** A function that times one fresh workerd; null where miniflare is not installed. */
async function createWorkerd() {
  if (!existsSync(join(INSTALLED, 'miniflare'))) return null;
  const { Miniflare } = await import(
    pathToFileURL(createRequire(join(INSTALLED, '_')).resolve('miniflare')).href
  );
  const { bundleLibrary } = await import('./workerd-library.js');
  const binary = (path) => ({
    type: 'CompiledWasm',
    path,
    contents: readFileSync(join(ROOT, 'dist', path)),
  });
  const modules = [
    { type: 'ESModule', path: 'main.js', contents: WORKER },
    {
      type: 'ESModule',
      path: 'library.js',
      contents: await bundleLibrary(join(ROOT, 'dist/index.workerd.js')),
    },
    ...['optim.simd.wasm', 'nn.simd.wasm'].map(binary),
  ];
  return async () => {
    const miniflare = new Miniflare({ modules, compatibilityDate: '2026-06-01' });
    try {
      return await (await miniflare.dispatchFetch('http://localhost/')).json();
    } finally {
      await miniflare.dispose();
    }
  };
}

/**
 * Raw rounds: by runtime the first step's times, and by runtime and threads the milliseconds that
 * createRuntime took.
 */
async function measure() {
  const runtimes = findRuntimes();
  const starts = Object.fromEntries([...runtimes.keys()].map((name) => [name, []]));
  const creations = Object.fromEntries(
    [...runtimes.keys()].map((name) => [name, THREADS.map(() => [])]),
  );
  const runWorkerd = await createWorkerd();
  if (runWorkerd) starts.workerd = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, command] of runtimes) {
      starts[name].push(runFresh(command));
      for (const [i, threads] of THREADS.entries())
        creations[name][i].push(runFresh(command, [threads]).runtimeMs);
    }
    if (runWorkerd) starts.workerd.push(await runWorkerd());
  }
  return { starts, creations };
}

function print({ starts, creations }) {
  const ms = (values) => median(values).toFixed(1);
  const table = createTable({
    runtime: 'left',
    'first step, ms': 'right',
    '±': 'right',
    'of it import': 'right',
    limit: 'right',
  });
  for (const [name, rows] of Object.entries(starts)) {
    const totals = rows.map(({ totalMs }) => totalMs);
    const limit = LIMITS[name.split(' ')[0]] ?? '–';
    table.push([
      name,
      ms(totals),
      mad(totals).toFixed(1),
      ms(rows.map(({ importMs }) => importMs)),
      limit,
    ]);
  }
  console.log(table.toString());
  const threads = createTable({
    'createRuntime, ms': 'left',
    '1 thread': 'right',
    '2 threads': 'right',
    '4 threads': 'right',
  });
  for (const [name, columns] of Object.entries(creations)) threads.push([name, ...columns.map(ms)]);
  console.log(threads.toString());
}

const raw = await measure();
print(raw);
// The load tells whether the machine was quiet.
const result = { ...environment(), load: loadavg()[0], rounds: ROUNDS, threads: THREADS, ...raw };
if (options.out) {
  mkdirSync(options.out, { recursive: true });
  const file = join(options.out, `cold-start-${result.date}.json`);
  replaceFile(file, `${JSON.stringify(result)}\n`);
  console.log(`raw rounds: ${file}`);
}
