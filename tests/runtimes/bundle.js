/**
 * Bundles the portable suite into one ES module without imports, build/runtimes/suite.js. The suite
 * tests the built package in dist/; only its types come from the sources.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import nodeResolve from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import ts from 'typescript';

export const ROOT = resolve(import.meta.dirname, '../..');
export const BUNDLE = resolve(ROOT, 'build/runtimes/suite.js');

/**
 * The bundle that child.js imports on Node, Deno and Bun, made from the package's files for them.
 */
export const PROCESS_BUNDLE = resolve(ROOT, 'build/runtimes/suite.node.js');

/** The entry in dist/ of each entry module in src/. */
const ENTRIES = { 'src/nn': 'nn.js', 'src/data': 'data.js', 'src/checkpoint': 'checkpoint.js' };

/** Redirects imports of the package's sources to dist/, and compiles the suite's own files. */
const sources = (folder, entry) => ({
  name: 'sources',
  resolveId(id, importer) {
    if (!importer || !id.startsWith('.')) return null;
    const path = resolve(importer, '..', id);
    const name = path.slice(ROOT.length + 1);
    const built = name === 'src/index' ? entry : ENTRIES[name];
    if (built) return resolve(ROOT, folder, built);
    return [`${path}.ts`, `${path}/index.ts`].find(existsSync) ?? null;
  },
  async load(id) {
    if (id.endsWith('.json')) return `export default ${await readFile(id, 'utf8')};`;
    if (!id.endsWith('.ts')) return null;
    const options = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    };
    return ts.transpileModule(await readFile(id, 'utf8'), { compilerOptions: options }).outputText;
  },
});

const beside = (files) => ({
  name: 'beside',
  resolveId(id) {
    const name = files.find((file) => id.endsWith(`/${file}`));
    return name ? { id: `./${name}`, external: 'absolute' } : null;
  },
});

/**
 * Writes the bundle.
 * @param file the bundle's path
 * @param folder the folder of the package's entries for the platform
 * @param entry the main entry's name
 * @param external files beside the bundle that it imports
 */
export async function bundleSuite({
  file = BUNDLE,
  folder = 'dist',
  entry = 'index.js',
  external = [],
} = {}) {
  if (!existsSync(resolve(ROOT, 'dist/index.js')))
    throw new Error('dist/ is missing: npm run build');
  const input = resolve(import.meta.dirname, 'suite/index.ts');
  const bundle = await rollup({
    input,
    plugins: [beside(external), sources(folder, entry), nodeResolve()],
    onwarn: () => {},
  });
  await bundle.write({ file, format: 'es', inlineDynamicImports: true });
  await bundle.close();
}

if (process.argv[1] === import.meta.filename) await bundleSuite();
