/**
 * npm run bench:cold-start -- [--rounds 25] [--out folder]
 *
 * Measures the time from the import to the first AdaL step of 1,000 parameters, without the
 * runtime's own start: medians over fresh processes of Node, Deno and Bun and fresh instances of
 * workerd; and the time that starting threads adds.
 *
 * Runtimes take turns, so that a busy moment of the machine is shared by all. Runtimes other than
 * this Node are those that `npm ci` installs in tests/runtimes of a clone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { benchPath } from '../toolkit/bench-folder';
import { parseCommandOptions, runBenchmark } from '../toolkit/command-options';
import { describeSingleEnvironment, saveSingleResult } from '../toolkit/single-result';
import { mad, median } from '../toolkit/statistics';
import { textTable } from '../toolkit/text-table';
import { bundleForWorkerd, libraryPath } from './workerd-library';

const INSTALLED = benchPath('../tests/runtimes/node_modules');
const FIRST_STEP = fileURLToPath(new URL('./first-step.js', import.meta.url));
const THREADS = [1, 2, 4];
/** Milliseconds that a start may take, by runtime. */
const LIMITS: Readonly<Record<string, number>> = { Node: 15, workerd: 5 };

/** Runtimes: name, program, arguments before the script. */
const PROCESSES: readonly (readonly [name: string, program: string, ...flags: string[]])[] = [
  [`Node ${process.versions.node.split('.')[0]}`, process.execPath],
  ...[20, 22, 24, 26].map(
    (major) => [`Node ${major}`, join(INSTALLED, `node-${major}/bin/node`)] as const,
  ),
  [
    'Deno',
    join(INSTALLED, '@deno/linux-x64-glibc/deno'),
    'run',
    '--no-prompt',
    '--node-modules-dir=manual',
  ],
  ['Bun', join(INSTALLED, '@oven/bun-linux-x64/bin/bun')],
];

/** Times of one start, ms. */
interface Start {
  readonly importMs: number;
  readonly runtimeMs: number;
  readonly totalMs: number;
}

/** Raw rounds. */
interface Starts {
  /** First steps, by runtime. */
  readonly starts: Readonly<Record<string, Start[]>>;
  /** Milliseconds that `createRuntime` took, by runtime and number of threads. */
  readonly creations: Readonly<Record<string, number[][]>>;
}

/** Returns the command lines of the runtimes that are installed, by name. */
function findRuntimes(): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [name, program, ...flags] of PROCESSES)
    if (existsSync(program) && !found.has(name)) found.set(name, [program, ...flags]);
  return found;
}

function runFresh([program, ...flags]: readonly string[], threads: readonly number[] = []): Start {
  const output = execFileSync(program!, [...flags, FIRST_STEP, ...threads.map(String)], {
    encoding: 'utf8',
    cwd: benchPath('.'),
  });
  return JSON.parse(output.trim().split('\n').at(-1)!);
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

/** What is used of Miniflare, which is installed with the other runtimes. */
interface MiniflareModule {
  readonly Miniflare: new (
    options: object,
  ) => {
    dispatchFetch(address: string): Promise<{ json(): Promise<unknown> }>;
    dispose(): Promise<void>;
  };
}

/** Returns a function that times a fresh workerd; null where Miniflare is not installed. */
async function createWorkerd(): Promise<(() => Promise<Start>) | null> {
  if (!existsSync(join(INSTALLED, 'miniflare'))) return null;
  const path = createRequire(join(INSTALLED, '_')).resolve('miniflare');
  const { Miniflare }: MiniflareModule = await import(pathToFileURL(path).href);
  const binary = (name: string) => ({
    type: 'CompiledWasm',
    path: name,
    contents: readFileSync(libraryPath(name)),
  });
  const modules = [
    { type: 'ESModule', path: 'main.js', contents: WORKER },
    { type: 'ESModule', path: 'library.js', contents: await bundleForWorkerd() },
    ...['optim', 'nn', 'nn-attention', 'nn-recurrent'].map((name) => binary(`${name}.simd.wasm`)),
  ];
  return async () => {
    const miniflare = new Miniflare({ modules, compatibilityDate: '2026-06-01' });
    try {
      return (await (await miniflare.dispatchFetch('http://localhost/')).json()) as Start;
    } finally {
      await miniflare.dispose();
    }
  };
}

async function measure(rounds: number): Promise<Starts> {
  const runtimes = findRuntimes();
  const names = [...runtimes.keys()];
  const starts: Record<string, Start[]> = Object.fromEntries(names.map((name) => [name, []]));
  const creations: Record<string, number[][]> = Object.fromEntries(
    names.map((name) => [name, THREADS.map(() => [])]),
  );
  const runWorkerd = await createWorkerd();
  if (runWorkerd) starts.workerd = [];
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of runtimes) {
      starts[name]!.push(runFresh(command));
      for (const [i, threads] of THREADS.entries())
        creations[name]![i]!.push(runFresh(command, [threads]).runtimeMs);
    }
    if (runWorkerd) starts.workerd!.push(await runWorkerd());
  }
  return { starts, creations };
}

const milliseconds = (values: readonly number[]): string => median(values).toFixed(1);

function startTable({ starts }: Starts): string {
  const columns = {
    runtime: 'left',
    'first step, ms': 'right',
    '±': 'right',
    'of it import': 'right',
    limit: 'right',
  } as const;
  const rows = Object.entries(starts).map(([name, each]) => {
    const totals = each.map(({ totalMs }) => totalMs);
    const imports = each.map(({ importMs }) => importMs);
    const limit = LIMITS[name.split(' ')[0]!] ?? '–';
    return [name, milliseconds(totals), mad(totals).toFixed(1), milliseconds(imports), limit];
  });
  return textTable(columns, rows);
}

function creationTable({ creations }: Starts): string {
  const columns = {
    'createRuntime, ms': 'left',
    '1 thread': 'right',
    '2 threads': 'right',
    '4 threads': 'right',
  } as const;
  const rows = Object.entries(creations).map(([name, each]) => [name, ...each.map(milliseconds)]);
  return textTable(columns, rows);
}

async function main(): Promise<void> {
  const { rounds, out } = parseCommandOptions(25, {});
  const raw = await measure(rounds);
  console.log(startTable(raw));
  console.log(creationTable(raw));
  if (out === undefined) return;
  const file = saveSingleResult(out, {
    benchmark: 'cold-start',
    environment: describeSingleEnvironment(),
    // The load shows whether the machine was quiet.
    load: loadavg()[0],
    rounds,
    unit: 'ms',
    threads: THREADS,
    ...raw,
  });
  console.log(`raw rounds: ${file}`);
}

await runBenchmark(main);
