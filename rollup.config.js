/**
 * Builds dist/ from src/.
 *
 * - dist/ and dist/chunks/: the library for browsers, bundlers and edge platforms. One ES module
 *   per entry, shared chunks, lazily loaded binaries; minified, with source maps.
 * - dist/node/: the same entries in fewer files, for Node, Deno and Bun, and with them the command
 *   line. They are not minified: a runtime prints the source line of an uncaught error, and a
 *   minified line is a whole file.
 * - bench/dist/: the benchmark (bench/rollup.config.js).
 * - The .wasm files, the type declarations, and the notices of the packages whose code is in all of
 *   this.
 *
 * Two builds of one commit have the same bytes (scripts/check-build.js compares them).
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve as pathOf } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import dts from 'rollup-plugin-dts';
import benchBuilds from './bench/rollup.config.js';
import { randomDelays } from './scripts/random-delays.js';
import { compile, minify, sideEffects } from './scripts/rollup-plugins.js';
import { thirdPartyNotices } from './scripts/third-party-notices.js';
import { typeOnlyExports } from './scripts/type-only-exports.js';

const library = {
  index: 'src/index.ts',
  registry: 'src/entries/registry.ts',
  math: 'src/math/index.ts',
  schedules: 'src/schedules/index.ts',
  accumulation: 'src/accumulation/index.ts',
  averaging: 'src/averaging/index.ts',
  gradients: 'src/entries/gradients.ts',
  checkpoint: 'src/checkpoint/index.ts',
  nn: 'src/nn/index.ts',
  data: 'src/data/index.ts',
};
/**
 * Platforms with a main entry of their own, where WebAssembly must be imported as modules; the
 * types are those of the default entry. A platform is a file in src/entries/platforms/, named after
 * its condition in package.json; its `adal-wasm/registry` re-exports from it.
 */
const PLATFORMS = 'src/entries/platforms';
const platformNames = readdirSync(PLATFORMS)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
const platforms = Object.fromEntries(
  platformNames.flatMap((name) => [
    [`index.${name}`, `${PLATFORMS}/${name}.ts`],
    [`registry.${name}`, `registry-on:${name}`],
  ]),
);
const platformRegistries = {
  name: 'platform-registries',
  resolveId: (id) => (id.startsWith('registry-on:') ? id : null),
  load(id) {
    if (!id.startsWith('registry-on:')) return null;
    const entry = pathOf(import.meta.dirname, PLATFORMS, `${id.slice('registry-on:'.length)}.ts`);
    return `export { createOptimizer, optimizerNames } from ${JSON.stringify(entry)};`;
  },
};
const cli = { cli: 'src/cli/main.ts' };
/** What tests reach of the command line without starting it; not part of the package. */
const internals = { 'internals/model-file': 'src/cli/model-file.ts' };
const external = ['@assemblyscript/loader', /^node:/];
/** What `trainInWorker` starts. */
const trainWorker = { 'train-worker': 'src/nn/train-worker.ts' };

/** npm makes a package's bin executable; a clone's is made so here. */
const executable = {
  name: 'executable',
  writeBundle: () => existsSync('dist/cli.js') && chmodSync('dist/cli.js', 0o755),
};

/** The inlined binaries, which both layouts share. */
const BINARY = /\/build\/(optim|nn(-\w+)?)(\.relaxed)?\.(simd|threads)\.js$/;

/** Left out of source maps: the inlined binaries and the packed digits, which nobody reads. */
const unmappedData = {
  name: 'unmapped-data',
  transform: (code, id) =>
    BINARY.test(id) || id.endsWith('/digits-data.ts') ? { code, map: { mappings: '' } } : null,
};

/** The worker's script as a file of its own, for pages that may not start one from a blob. */
const workerScript = {
  name: 'worker-script',
  async generateBundle() {
    const { default: source } = await import('./build/worker.js');
    this.emitFile({ type: 'asset', fileName: 'worker.js', source });
  },
};

/**
 * What scripts/generate writes for every program: accessors of records, ids of kernels, loaders of
 * optimizers. Left to Rollup, any of them would lie in a chunk that `core` imports and that imports
 * `core`.
 */
const GENERATED = /\/build\/(records\/\w+|\w+-records|optimizer-\w+|nn-families)\.ts$/;

/** By folder of src/, or by name of a file in it: the chunk of the Node build. */
const NODE_CHUNKS = {
  ...{ errors: 'base', validate: 'base', math: 'base', schedules: 'base' },
  ...{ 'memory-layout': 'core', runtime: 'core', tensors: 'core', optimizers: 'core' },
  ...{ checkpoint: 'checkpoints', nn: 'training' },
};

/** What loads lazily, by path in src/. */
const LAZY = /^(runtime\/(reference\/|wasm-source|worker-|shared-kernels)|nn\/run-checkpoint$)/;

/**
 * For engines that load the files as they are: few, since each costs a process half a millisecond
 * of its start (bench/micro/cold-start.ts). Bundlers get many, and leave out those that are not
 * used. What loads lazily stays by itself.
 */
function fewChunks(id) {
  if (GENERATED.test(id)) return 'core';
  if (id.includes('/@assemblyscript/loader/')) return 'loader';
  const [, path] = /\/src\/(.*)\.ts$/.exec(id) ?? [];
  if (!path || Object.values(library).includes(`src/${path}.ts`)) return undefined;
  if (LAZY.test(path)) return undefined;
  return NODE_CHUNKS[path.split('/')[0]];
}

/** Addresses beside the chunks' folder, in a file that lies beside it. */
const outOfChunks = {
  name: 'out-of-chunks',
  // As long as before, so that source maps stay right.
  renderChunk: (code) => ({
    code: code.replaceAll("new URL('../worker.js', import", "new URL( './worker.js', import"),
    map: null,
  }),
};

/** What an earlier build left would be packed with the rest. */
const clean = { name: 'clean', buildStart: () => rmSync('dist', { recursive: true, force: true }) };

/** Left as they are in the source, since they lie beside the entries in dist/. */
const wasmBeside = {
  name: 'wasm-beside',
  resolveId: (id) => (/\.wasm(\?module)?$/.test(id) ? { id, external: true } : null),
  writeBundle() {
    for (const file of readdirSync('build'))
      if (/^[\w-]+\.\w+\.wasm$/.test(file)) copyFileSync(`build/${file}`, `dist/${file}`);
  },
};

/**
 * Puts the built benchmark into dist/ as well, where it is no part of the package: the `dist/` of a
 * checkout can then run `adal bench` alone, without an installed adal-bench.
 */
const benchInDist = {
  name: 'bench-in-dist',
  writeBundle() {
    const filter = (path) => !path.startsWith(join('bench', 'dist', 'tools'));
    cpSync(join('bench', 'dist'), join('dist', 'bench'), { recursive: true, filter });
    writeFileSync('dist/report.js', "export * from './bench/report.js';\n");
  },
};

/**
 * Where the entries of the Node build go: the library's beside their chunks, the programs where
 * package.json names them.
 */
const nodeEntry = ({ name }) => (name in library ? 'node/[name].js' : '[name].js');

const notices = thirdPartyNotices({
  file: 'dist/THIRD-PARTY-NOTICES.md',
  // AssemblyScript's standard library is compiled into the .wasm files; the command line's own
  // tables keep the look of cli-table3's.
  always: ['assemblyscript', 'cli-table3', 'ajv', 'uplot'],
  textOf: { '@assemblyscript/loader': 'assemblyscript' },
});
const { delays } = randomDelays(process.env.ADAL_BUILD_DELAYS);

const builds = [
  {
    input: { ...library, ...platforms },
    external,
    output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].js', sourcemap: true },
    plugins: [
      clean,
      platformRegistries,
      wasmBeside,
      unmappedData,
      resolve({ preferBuiltins: true }),
      commonjs(),
      compile({ sourceMap: true }),
      sideEffects,
      minify,
      workerScript,
    ],
  },
  {
    input: { ...library, ...cli, ...internals },
    // With the loader in it: looking a package up takes two milliseconds.
    external: [/^node:/, BINARY],
    output: {
      dir: 'dist',
      format: 'es',
      entryFileNames: nodeEntry,
      chunkFileNames: 'node/[name].js',
      manualChunks: fewChunks,
      onlyExplicitManualChunks: true,
      paths: (id) => (BINARY.test(id) ? `./chunks/${basename(id)}` : id),
      banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
    },
    plugins: [
      wasmBeside,
      resolve({ preferBuiltins: true }),
      commonjs(),
      compile(),
      sideEffects,
      executable,
    ],
  },
  // Workers have no import maps, and may be served from anywhere: one file that needs no other.
  // It exports nothing, and says so, or tools that guess take it for CommonJS.
  {
    input: trainWorker,
    output: {
      dir: 'dist',
      format: 'es',
      inlineDynamicImports: true,
      footer: 'export {};',
      sourcemap: true,
      sourcemapExcludeSources: true,
    },
    plugins: [
      unmappedData,
      resolve(),
      commonjs(),
      compile({ sourceMap: true }),
      sideEffects,
      outOfChunks,
      minify,
    ],
  },
  {
    input: library,
    external,
    output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].d.ts' },
    // Members marked @internal are for the library alone, and no editor shows them.
    plugins: [
      dts({ compilerOptions: { stripInternal: true } }),
      typeOnlyExports((name) => readFileSync(`dist/node/${name}.js`, 'utf8')),
      notices.write,
    ],
  },
];

const last = benchBuilds.length - 1;

export default [
  ...builds.map((build) => ({ ...build, plugins: [...build.plugins, notices.collect] })),
  ...benchBuilds.map((build, index) =>
    index === last ? { ...build, plugins: [...build.plugins, benchInDist] } : build,
  ),
].map((build) => ({ ...build, plugins: [...delays, ...build.plugins] }));
