/**
 * Bundles other libraries for pages: a module of bench/peers, when a page asks for it. Needs
 * Rollup, which a checkout has.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathWithin, readWithin } from './files-within';

interface Bundler {
  rollup(
    options: object,
  ): Promise<{ generate(options: object): Promise<{ output: [{ code: string }] }> }>;
}

/** Imports a package that only a checkout has; its name is kept from bundlers. */
const load = <T>(name: string): Promise<T> => import(/* @vite-ignore */ name);

/** What libraries import on Node alone. */
const NODE_ONLY = /^(node:)?(fs|path|url|util|worker_threads|perf_hooks|crypto|os|child_process)$/;
const nothing = {
  name: 'nothing',
  resolveId: (id: string) => (NODE_ONLY.test(id) ? '\0nothing' : null),
  load: (id: string) => (id === '\0nothing' ? 'export default {};' : null),
};

const bundles = new Map<string, Promise<string>>();

/** The package that has the binaries which peers ask for. */
const BINARIES = '@tensorflow/tfjs-backend-wasm';

/**
 * @param folder bench/peers/dist, ending in a slash
 * @param name 'tensorflow.js', or a .wasm file that a peer asks for
 * @throws Error for the name of anything else
 */
export async function peerFile(folder: URL, name: string): Promise<string | Uint8Array> {
  if (!/^[\w-]+\.(js|wasm)$/.test(name)) throw new Error(`${JSON.stringify(name)} is no peer`);
  if (name.endsWith('.wasm')) return readWithin(binariesFor(folder), name);
  const path = await pathWithin(folder, name);
  let bundle = bundles.get(path);
  if (!bundle) bundles.set(path, (bundle = bundlePeer(path)));
  return bundle;
}

/** The folder of the binaries that modules of `folder` would find. */
function binariesFor(folder: URL): string {
  const { resolve } = createRequire(new URL('peer.js', folder));
  return join(dirname(resolve(`${BINARIES}/package.json`)), 'dist');
}

async function bundlePeer(input: string): Promise<string> {
  const { rollup } = await load<Bundler>('rollup');
  const { default: resolve } = await load<{ default: (options: object) => object }>(
    '@rollup/plugin-node-resolve',
  );
  const { default: commonjs } = await load<{ default: () => object }>('@rollup/plugin-commonjs');
  const plugins = [nothing, resolve({ browser: true, rootDir: dirname(input) }), commonjs()];
  const bundle = await rollup({ input, plugins, onwarn() {} });
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
  return output[0].code;
}
