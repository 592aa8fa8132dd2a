/** Rollup plugins that the builds of the library and of the benchmark share. */
import { basename, dirname, resolve as pathOf, sep } from 'node:path';
import terser from '@rollup/plugin-terser';
import typescript from '@rollup/plugin-typescript';

const ROOT = dirname(import.meta.dirname);

/** Compiles TypeScript. Types are checked by `npm run typecheck`, not here. */
export const compile = ({ sourceMap = false } = {}) =>
  typescript({
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      removeComments: true,
      sourceMap,
      inlineSources: sourceMap,
    },
    include: ['src/**/*.ts', 'bench/**/*.ts', 'build/**/*.ts'],
  });

/**
 * Minifies files that pages load without a bundler. Class names stay, because errors are named by
 * them. Functions that are called in one place stay functions: written as expressions there, they
 * would be allocated at every call.
 */
export const minify = terser({
  module: true,
  keep_classnames: true,
  compress: { reduce_funcs: false },
});

/**
 * The accessors of records, which scripts/generate writes. Each is one call, whose mark as pure the
 * TypeScript plugin takes away with the comments.
 */
const RECORD = /\/build\/(records\/\w+|\w+-records)\.ts$/;

const OWN = ['src', 'bench', 'build'].map((folder) => pathOf(ROOT, folder) + sep);

/**
 * Says the same of every module, whoever asked for it first. node-resolve reads `sideEffects:
 * false` in package.json and the TypeScript plugin does not; an entry that others import as well is
 * resolved by both, and the faster one decided how Rollup grouped modules into chunks and in which
 * order chunks are imported.
 */
export const sideEffects = {
  name: 'side-effects',
  transform: (_, id) =>
    OWN.some((folder) => id.startsWith(folder)) ? { moduleSideEffects: !RECORD.test(id) } : null,
};

/** JSON as a module. Of a package.json the version alone, since nothing else is imported. */
export const json = {
  name: 'json',
  transform(code, id) {
    if (!id.endsWith('.json')) return null;
    if (basename(id) !== 'package.json') return { code: `export default ${code};`, map: null };
    return { code: `export const version = '${JSON.parse(code).version}';`, map: null };
  },
};
