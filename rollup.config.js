/**
 * src/ → dist/: one ES module an entry, shared chunks, lazily loaded binaries, the .wasm files, and the type declarations;
 * dist/node/: the same entries in fewer files.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, resolve as pathOf } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import typescript from '@rollup/plugin-typescript';
import dts from 'rollup-plugin-dts';
import { reportPage } from './bench/report/page/rollup.js';

const library = {
  index: 'src/index.ts',
  registry: 'src/platforms/registry.ts',
  schedules: 'src/schedules/index.ts',
  gradients: 'src/gradients/index.ts',
  checkpoint: 'src/checkpoint/index.ts',
  nn: 'src/nn/index.ts',
  data: 'src/data/index.ts',
};
/** The entries that differ where WebAssembly must be imported as modules; their types do not. */
const platforms = {
  'index.workerd': 'src/platforms/workerd.ts',
  'registry.workerd': 'src/platforms/registry.workerd.ts',
  'index.edge-light': 'src/platforms/edge-light.ts',
  'registry.edge-light': 'src/platforms/registry.edge-light.ts',
};
const cli = { cli: 'src/cli/main.ts', report: 'bench/report/index.ts' };
/** What tests reach of the command line without starting it; not part of the package. */
const internals = { 'internals/model-file': 'src/cli/model-file.ts' };
/** What the benchmark suite starts on other runtimes. */
const bench = {
  'bench/child': 'bench/suite/runners/child.ts',
  'bench/cold': 'bench/suite/runners/cold.ts',
  'bench/workerd-host': 'bench/suite/runners/workerd-host.ts',
};
const external = ['@assemblyscript/loader', /^node:/];
/** What `trainInWorker` starts. */
const trainWorker = { 'train-worker': 'src/nn/train-worker.ts' };

const compile = () =>
  typescript({
    compilerOptions: { noEmit: false, noCheck: true, removeComments: true },
    include: ['src/**/*.ts', 'bench/**/*.ts'],
  });

/**
 * Pages without a bundler load these files as they are. Class names stay: errors are called by them. Functions that are called in
 * one place stay functions: written as expressions there, they would be allocated at every call.
 */
const minify = terser({ module: true, keep_classnames: true, compress: { reduce_funcs: false } });

/** npm makes a package's bin executable; a clone's is made so here. */
const executable = {
  name: 'executable',
  writeBundle: () => existsSync('dist/cli.js') && chmodSync('dist/cli.js', 0o755),
};

/** The worker's script as a file of its own, for pages that may not start one from a blob. */
const workerScript = {
  name: 'worker-script',
  async generateBundle() {
    const { default: source } = await import('./build/worker.js');
    this.emitFile({ type: 'asset', fileName: 'worker.js', source });
  },
};

/** The inlined binaries, which both layouts share. */
const BINARY = /\/build\/(optim|nn)(\.relaxed)?\.(simd|threads)\.js$/;

/**
 * For engines that load the files as they are: few, since each costs a process half a millisecond of its start
 * (bench/micro/cold-start.js). Bundlers get many, and leave out those that are not used. What loads lazily stays by itself.
 */
function fewChunks(id) {
  const [, path] = /\/src\/(.*)\.ts$/.exec(id) ?? [];
  if (!path || /\/oracle\/|\/wasm-source|\/pool|\/workers|\/worker-host|\/shared-kernels/.test(path)) return undefined;
  const [room] = path.split('/');
  if (['errors', 'validate', 'math', 'schedules'].includes(room)) return 'base';
  return ['abi', 'runtime', 'tensors', 'optimizers'].includes(room) ? 'core' : undefined;
}

/** Addresses beside the chunks' folder, in a file that lies beside it. */
const outOfChunks = {
  name: 'out-of-chunks',
  renderChunk: (code) => code.replaceAll('new URL("../worker.js",import.meta.url)', 'new URL("./worker.js",import.meta.url)'),
};

/** What an earlier build left would be packed with the rest. */
const clean = { name: 'clean', buildStart: () => rmSync('dist', { recursive: true, force: true }) };

const json = {
  name: 'json',
  transform: (code, id) => (id.endsWith('.json') ? { code: `export default ${code};`, map: null } : null),
};

/** Left as they are in the source, since they lie beside the entries in dist/. */
const wasmBeside = {
  name: 'wasm-beside',
  resolveId: (id) => (/\.wasm(\?module)?$/.test(id) ? { id, external: true } : null),
  writeBundle() {
    for (const file of readdirSync('build')) if (/^\w+\.\w+\.wasm$/.test(file)) copyFileSync(`build/${file}`, `dist/${file}`);
  },
};

/** The suite imports the package's main entry; on workerd that is another. */
const entryForWorkerd = {
  name: 'entry-for-workerd',
  resolveId: (id, importer) =>
    /\/src\/index$/.test(id) && /\/bench\//.test(importer) ? pathOf(import.meta.dirname, platforms['index.workerd']) : null,
};

/** The page that runs the suite, as a folder that any server may serve. */
const pageFiles = {
  name: 'page-files',
  writeBundle() {
    for (const file of ['index.html', 'page.css']) copyFileSync(`bench/suite/page/${file}`, `dist/site/${file}`);
    cpSync('bench/data', 'dist/site/data', { recursive: true });
  },
};

export default [
  reportPage,
  {
    input: { ...library, ...platforms, ...cli, ...internals, ...bench, ...trainWorker },
    external,
    output: {
      dir: 'dist',
      format: 'es',
      chunkFileNames: 'chunks/[name].js',
      banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
    },
    plugins: [
      clean,
      wasmBeside,
      json,
      resolve({ preferBuiltins: true }),
      commonjs(),
      compile(),
      minify,
      executable,
      workerScript,
    ],
  },
  // Workers have no import maps, and may be served from anywhere: one file that needs no other takes the place of the entry.
  // It exports nothing, and says so, or tools that guess take it for CommonJS.
  {
    input: 'dist/train-worker.js',
    output: { file: 'dist/train-worker.js', format: 'es', inlineDynamicImports: true, footer: 'export {};' },
    plugins: [resolve(), outOfChunks],
  },
  {
    input: 'bench/suite/runners/workerd-worker.ts',
    output: { file: 'dist/bench/workerd-worker.js', format: 'es', inlineDynamicImports: true },
    plugins: [entryForWorkerd, wasmBeside, resolve(), commonjs(), compile(), minify],
  },
  {
    input: { page: 'bench/suite/page/main.ts', 'page-worker': 'bench/suite/page/worker.ts' },
    external: [/^node:/],
    output: { dir: 'dist/site', format: 'es', chunkFileNames: 'chunks/[name].js' },
    plugins: [wasmBeside, resolve(), commonjs(), compile(), minify, pageFiles],
  },
  {
    input: library,
    // With the loader in it: looking a package up takes two milliseconds.
    external: [/^node:/, BINARY],
    output: {
      dir: 'dist/node',
      format: 'es',
      chunkFileNames: '[name].js',
      manualChunks: fewChunks,
      paths: (id) => (BINARY.test(id) ? `../chunks/${basename(id)}` : id),
    },
    plugins: [resolve({ preferBuiltins: true }), commonjs(), compile(), minify],
  },
  {
    input: library,
    external,
    output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].d.ts' },
    plugins: [dts()],
  },
];
