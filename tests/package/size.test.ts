/**
 * What a page downloads for each entry, bounded, and what it does not download at all. The table is
 * printed in every run.
 */
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { type OutputChunk, rollup } from 'rollup';
import { expect, it } from 'vitest';
import { NN_FAMILIES } from '../../build/nn-families';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Bundles and minifies code that uses the built package by its name, as an application's build
 * would.
 */
async function bundle(code: string, conditions: string[]): Promise<OutputChunk[]> {
  const entry = {
    name: 'entry',
    // Beside package.json, so that the package's own name means the package.
    resolveId: (id: string) => (id === 'entry' ? resolve(ROOT, 'entry.js') : null),
    load: (id: string) => (id === resolve(ROOT, 'entry.js') ? code : null),
  };
  const plugins = [entry, nodeResolve({ exportConditions: conditions })];
  const build = await rollup({
    input: 'entry',
    plugins,
    external: [/^node:/, /\.wasm/],
    onwarn: () => {},
  });
  const { output } = await build.generate({ format: 'es', plugins: [terser({ module: true })] });
  return output.filter((item): item is OutputChunk => item.type === 'chunk');
}

/**
 * The chunk, what it imports statically, and the lazy chunks whose name begins with one of `lazy`.
 */
function reachable(chunks: readonly OutputChunk[], lazy: readonly string[]): OutputChunk[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<OutputChunk>();
  const visit = (chunk: OutputChunk | undefined): void => {
    if (!chunk || found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) visit(byName.get(name));
    for (const name of chunk.dynamicImports)
      if (lazy.some((prefix) => name.startsWith(prefix))) visit(byName.get(name));
  };
  visit(chunks.find(({ isEntry }) => isEntry));
  return [...found];
}

/** Files of dist/ of which anything is left in the chunks. */
function filesIn(chunks: readonly OutputChunk[]): string[] {
  const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules));
  return modules
    .filter(([, { renderedLength }]) => renderedLength > 0)
    .map(([id]) => relative(resolve(ROOT, 'dist'), id));
}

function gzipped(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

interface Entry {
  what: string;
  code: string;
  /** Bytes, gzip. */
  limit: number;
  lazy?: string[];
  conditions?: string[];
  /** Files of dist/ that must have no part in it. */
  without: RegExp;
}

const BY_CLASS = `export { AdaL, createRuntime } from 'adal-wasm';`;
const OTHER_RULES = 'adam|adagrad|lion|sgd|rmsprop|schedule-free';
const BESIDES_ADAL = new RegExp(
  `^(nn|data|cli|checkpoint|gradients|schedules)\\.js|nn\\.(simd|threads)|${OTHER_RULES}`,
);
const all = (entry: string) => `export * from 'adal-wasm/${entry}';`;
const ENTRIES: Entry[] = [
  {
    what: 'AdaL by class, optim.simd',
    code: BY_CLASS,
    limit: 28_680,
    lazy: ['optim.simd'],
    without: BESIDES_ADAL,
  },
  {
    what: 'AdaL by class, optim.threads and all that starts workers',
    code: BY_CLASS,
    limit: 34_100,
    lazy: ['optim.threads', 'thread-policy', 'worker-pools', 'worker-host-browser'],
    without: BESIDES_ADAL,
  },
  {
    what: 'AdaL by class, oracle',
    code: BY_CLASS,
    limit: 26_700,
    lazy: ['optim-'],
    without: BESIDES_ADAL,
  },
  {
    what: 'AdaL by class, workerd, without its .wasm',
    code: BY_CLASS,
    limit: 21_200,
    conditions: ['workerd'],
    without: /^(nn|data|cli|checkpoint|gradients|schedules)\.js|(optim|nn)\.(simd|threads)\.js/,
  },
  {
    what: 'adal-wasm/registry',
    code: all('registry'),
    limit: 8_000,
    without: /^(nn|data|cli|checkpoint|gradients|schedules)\.js|(optim|nn)\.(simd|threads)\.js/,
  },
  {
    what: 'adal-wasm/schedules',
    code: all('schedules'),
    limit: 5_480,
    without: /^(index|nn|data|cli|checkpoint|gradients)\.js|registry/,
  },
  {
    what: 'adal-wasm/checkpoint',
    code: all('checkpoint'),
    limit: 19_480,
    without: /^(index|nn|data|cli|gradients|schedules)\.js|registry/,
  },
  {
    what: 'adal-wasm/gradients',
    code: all('gradients'),
    limit: 5_300,
    without: /^(index|nn|data|cli|checkpoint|schedules)\.js|registry|chunks\/optimizer\.js/,
  },
  {
    what: 'adal-wasm/nn',
    code: all('nn'),
    limit: 50_300,
    without: /^(index|data|cli|checkpoint|gradients|schedules)\.js|run-checkpoint/,
  },
  {
    what: 'adal-wasm/nn with the checkpoints of fit',
    code: all('nn'),
    limit: 62_400,
    lazy: ['run-checkpoint'],
    without: /^(index|data|cli|checkpoint|gradients|schedules)\.js/,
  },
  {
    what: 'adal-wasm/data',
    code: all('data'),
    limit: 60_000,
    without: /^(index|nn|cli|checkpoint|gradients|schedules)\.js|registry/,
  },
  {
    what: 'trainTestSplit of adal-wasm/data',
    code: `export { trainTestSplit } from 'adal-wasm/data';`,
    limit: 3_700,
    without: /^(index|nn|cli|checkpoint|gradients|schedules)\.js|registry/,
  },
];

it.each(ENTRIES)(
  '$what: at most $limit bytes gzip, and nothing else',
  async ({ what, code, limit, lazy, conditions, without }) => {
    const chunks = reachable(await bundle(code, conditions ?? []), lazy ?? []);
    const bytes = gzipped(chunks);
    console.log(
      `${what}: ${bytes} bytes gzip (${chunks.map(({ fileName }) => fileName).join(', ')})`,
    );
    expect(filesIn(chunks).filter((file) => without.test(file))).toEqual([]);
    expect(bytes).toBeLessThanOrEqual(limit);
  },
);

it('ships the binaries it tests', () => {
  const modules = ['optim', 'nn', ...NN_FAMILIES.map((family) => `nn-${family}`)];
  for (const name of modules.flatMap((module) => [`${module}.simd`, `${module}.threads`])) {
    const binary = readFileSync(resolve(ROOT, `build/${name}.wasm`));
    expect(readFileSync(resolve(ROOT, `dist/chunks/${name}.js`), 'utf8')).toContain(
      binary.toString('hex'),
    );
    expect(readFileSync(resolve(ROOT, `dist/${name}.wasm`)).equals(binary)).toBe(true);
  }
});
