/**
 * Builds bench/dist/: the programs of adal-bench and the single benchmarks (rollup.tools.js), the
 * page that runs the suite, and the Worker that runs it on workerd. The repository's
 * rollup.config.js runs these builds after the library's.
 *
 * Programs import the installed library. The page and the Worker have it bundled, from its
 * published entries in dist/, because neither can look up packages.
 */
import { chmodSync, copyFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import dts from 'rollup-plugin-dts';
import { compile, json, minify, sideEffects } from '../scripts/rollup-plugins.js';
import { thirdPartyNotices } from '../scripts/third-party-notices.js';
import { reportPage } from './report/page/rollup.js';
import { toolBuilds } from './rollup.tools.js';

const HERE = import.meta.dirname;
const DIST = join(HERE, 'dist');
const LIBRARY = join(HERE, '..');
const inBench = (path) => join(HERE, path);

/** Programs for Node, Deno and Bun. */
const programs = {
  bin: inBench('cli/bin.ts'),
  index: inBench('cli/index.ts'),
  extend: inBench('extend.ts'),
  report: inBench('report/index.ts'),
  child: inBench('suite/runners/child.ts'),
  cold: inBench('suite/runners/cold.ts'),
  'workerd-host': inBench('suite/runners/workerd-host.ts'),
};

/** Resolves the library to its published files, as a runtime of these conditions would. */
const bundleLibrary = (...conditions) => ({
  name: 'bundle-library',
  resolveId(id) {
    if (!/^adal-wasm(\/|$)/.test(id)) return null;
    const { exports } = JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8'));
    const targets = exports[id.replace('adal-wasm', '.')];
    const condition = [...conditions, 'default'].find((name) => targets[name]);
    return join(LIBRARY, typeof targets === 'string' ? targets : targets[condition]);
  },
});

/** Inlines the version that the library has at the time of the build. */
const libraryVersion = {
  name: 'library-version',
  resolveId: (id) => (id === 'adal-wasm/package.json' ? join(LIBRARY, 'package.json') : null),
};

/** Modules of WebAssembly, which workerd-host.ts hands to workerd under these names. */
const wasmModules = {
  name: 'wasm-modules',
  resolveId: (id) => (/\.wasm$/.test(id) ? { id, external: true } : null),
};

const clean = {
  name: 'clean-bench',
  buildStart: () => rmSync(DIST, { recursive: true, force: true }),
};

/** npm makes a package's bin executable when it installs it; in a checkout this does. */
const executable = {
  name: 'executable',
  writeBundle: () => chmodSync(join(DIST, 'bin.js'), 0o755),
};

/** Completes the page's folder, which any server can serve. */
const pageFiles = {
  name: 'page-files',
  writeBundle() {
    for (const file of ['index.html', 'page.css'])
      copyFileSync(inBench(`suite/page/${file}`), join(DIST, 'site', file));
    cpSync(inBench('data'), join(DIST, 'site/data'), { recursive: true });
  },
};

const notices = thirdPartyNotices({
  file: join(DIST, 'THIRD-PARTY-NOTICES.md'),
  always: ['assemblyscript', '@assemblyscript/loader'],
  textOf: { '@assemblyscript/loader': 'assemblyscript' },
});

const builds = [
  reportPage,
  {
    input: programs,
    external: [/^node:/, /^adal-wasm(?!\/package\.json)(\/|$)/],
    output: {
      dir: DIST,
      format: 'es',
      chunkFileNames: '[name].js',
      banner: (chunk) => (chunk.name === 'bin' ? '#!/usr/bin/env node' : ''),
    },
    plugins: [
      clean,
      libraryVersion,
      json,
      resolve({ preferBuiltins: true }),
      commonjs(),
      compile(),
      sideEffects,
      executable,
    ],
  },
  {
    input: inBench('suite/runners/workerd-worker.ts'),
    output: { file: join(DIST, 'workerd-worker.js'), format: 'es', inlineDynamicImports: true },
    plugins: [
      wasmModules,
      bundleLibrary('workerd'),
      json,
      resolve(),
      commonjs(),
      compile(),
      sideEffects,
      minify,
    ],
  },
  {
    input: {
      page: inBench('suite/page/main.ts'),
      'page-worker': inBench('suite/page/worker.ts'),
    },
    external: [/^node:/],
    output: { dir: join(DIST, 'site'), format: 'es', chunkFileNames: 'chunks/[name].js' },
    plugins: [
      wasmModules,
      bundleLibrary('browser'),
      json,
      resolve({ browser: true }),
      commonjs(),
      compile(),
      sideEffects,
      minify,
      pageFiles,
    ],
  },
  ...toolBuilds([json, compile(), sideEffects]),
  {
    input: { index: inBench('cli/index.ts'), extend: inBench('extend.ts') },
    external: [/^adal-wasm(\/|$)/],
    output: { dir: DIST, format: 'es', chunkFileNames: '[name].d.ts' },
    plugins: [dts(), notices.write],
  },
];

export default builds.map((build) => ({ ...build, plugins: [...build.plugins, notices.collect] }));
