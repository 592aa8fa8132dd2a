/** src/ → dist/: one ES module an entry, shared chunks, lazily loaded binaries, and the type declarations. */
import { chmodSync, existsSync } from 'node:fs';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import typescript from '@rollup/plugin-typescript';
import dts from 'rollup-plugin-dts';
import { reportPage } from './bench/report/page/rollup.js';

const library = {
  index: 'src/index.ts',
  registry: 'src/optimizers/registry.ts',
  schedules: 'src/schedules/index.ts',
  gradients: 'src/gradients/index.ts',
  checkpoint: 'src/checkpoint/index.ts',
  nn: 'src/nn/index.ts',
  data: 'src/data/index.ts',
};
const cli = { cli: 'src/cli/main.ts', report: 'bench/report/index.ts' };
const external = ['@assemblyscript/loader', /^node:/];

const compile = () =>
  typescript({
    compilerOptions: { noEmit: false, noEmitOnError: true, removeComments: true },
    include: ['src/**/*.ts', 'bench/**/*.ts'],
  });

/** Pages without a bundler load these files as they are. Class names stay: errors are called by them. */
const minify = terser({ module: true, keep_classnames: true });

/** npm makes a package's bin executable; a clone's is made so here. */
const executable = {
  name: 'executable',
  writeBundle: () => existsSync('dist/cli.js') && chmodSync('dist/cli.js', 0o755),
};

export default [
  reportPage,
  {
    input: { ...library, ...cli },
    external,
    output: {
      dir: 'dist',
      format: 'es',
      chunkFileNames: 'chunks/[name].js',
      banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
    },
    plugins: [resolve({ preferBuiltins: true }), commonjs(), compile(), minify, executable],
  },
  {
    input: library,
    external,
    output: { dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].d.ts' },
    plugins: [dts()],
  },
];
