/** What a page downloads for the optimizer alone, bounded. The table is printed in every run. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import nodeResolve from '@rollup/plugin-node-resolve';
import { type OutputChunk, rollup } from 'rollup';
import { expect, it } from 'vitest';

const DIST = resolve(import.meta.dirname, '../../dist');

/** Bundles code that uses the built package, as an application's bundler would, loader included. */
async function bundle(code: string): Promise<OutputChunk[]> {
  const entry = {
    name: 'entry',
    resolveId: (id: string) => (id === 'entry' ? id : null),
    load: (id: string) => (id === 'entry' ? code : null),
  };
  const build = await rollup({ input: 'entry', plugins: [entry, nodeResolve()], external: [/^node:/], onwarn: () => {} });
  const { output } = await build.generate({ format: 'es' });
  return output.filter((item): item is OutputChunk => item.type === 'chunk');
}

/** The chunk, what it imports statically, and the lazy chunks whose name begins with one of `lazy`. */
function reachable(chunks: readonly OutputChunk[], lazy: readonly string[]): OutputChunk[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<OutputChunk>();
  const visit = (chunk: OutputChunk | undefined): void => {
    if (!chunk || found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) visit(byName.get(name));
    for (const name of chunk.dynamicImports) if (lazy.some((prefix) => name.startsWith(prefix))) visit(byName.get(name));
  };
  visit(chunks.find(({ isEntry }) => isEntry));
  return [...found];
}

function gzipped(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

const INDEX = JSON.stringify(resolve(DIST, 'index.js'));
const ENTRIES = [
  { what: 'AdaL by class, simd', lazy: ['optim.simd'], limit: 25_000, code: `export { AdaL, createRuntime } from ${INDEX};` },
  {
    what: 'AdaL by class, threads',
    lazy: ['optim.threads'],
    limit: 25_500,
    code: `export { AdaL, createRuntime } from ${INDEX};`,
  },
  {
    what: 'AdaL by class, oracle',
    lazy: ['optim-'],
    limit: 25_000,
    code: `export { AdaL, createRuntime } from ${INDEX};`,
  },
];

it.each(ENTRIES)('$what: at most $limit bytes gzip, no nn, no data', async ({ what, lazy, limit, code }) => {
  const chunks = reachable(await bundle(code), lazy);
  const bytes = gzipped(chunks);
  console.log(`${what}: ${bytes} bytes gzip (${chunks.map(({ fileName }) => fileName).join(', ')})`);
  const text = chunks.map((chunk) => chunk.code).join('\n');
  expect(text).not.toMatch(/softmaxCrossEntropy|loadDigits|parseCsv/);
  expect(bytes).toBeLessThanOrEqual(limit);
});

it('ships the binaries it tests', () => {
  for (const name of ['optim.simd', 'optim.threads', 'nn.simd', 'nn.threads']) {
    const inlined = readFileSync(resolve(DIST, `chunks/${name}.js`), 'utf8');
    const hex = readFileSync(resolve(DIST, `../build/${name}.wasm`)).toString('hex');
    expect(inlined).toContain(hex);
  }
});
