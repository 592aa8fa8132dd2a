/** The library as a deployment's bundler packs it for workerd. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the published files. */
const DIST = dirname(fileURLToPath(import.meta.resolve('adal-wasm/optim.simd.wasm')));

/** Returns the path of a published file. */
export const libraryPath = (name: string): string => join(DIST, name);

/**
 * Bundles the package's entry for workerd into one ES module whose binaries stay imports of files
 * beside it. Rollup must be installed.
 * @returns the module's source
 */
export async function bundleForWorkerd(): Promise<string> {
  const { rollup } = await import('rollup');
  const { default: nodeResolve } = await import('@rollup/plugin-node-resolve');
  const binariesBeside = {
    name: 'binaries-beside',
    resolveId: (id: string) =>
      id.endsWith('.wasm')
        ? { id: `./${id.split('/').at(-1)}`, external: 'absolute' as const }
        : null,
  };
  const bundle = await rollup({
    input: libraryPath('index.workerd.js'),
    plugins: [binariesBeside, nodeResolve()],
    onwarn: () => {},
  });
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
  await bundle.close();
  return output[0].code;
}
