/**
 * The package's entry for workerd as one ES module, its binaries left as imports beside it: what a
 * deployment's bundler makes.
 */
import nodeResolve from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

/** @returns the module's source */
export async function bundleLibrary(input) {
  const beside = {
    name: 'beside',
    resolveId: (id) =>
      id.endsWith('.wasm') ? { id: `./${id.split('/').at(-1)}`, external: 'absolute' } : null,
  };
  const bundle = await rollup({ input, plugins: [beside, nodeResolve()], onwarn: () => {} });
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
  await bundle.close();
  return output[0].code;
}
