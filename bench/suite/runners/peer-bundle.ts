/**
 * Other libraries for pages: each module of bench/peers bundled when a page asks for it.
 * Needs a clone with its dependencies.
 */
import { dirname } from 'node:path';
import { pathWithin, readWithin } from './files-within';

interface Bundler {
  rollup(
    options: object,
  ): Promise<{ generate(options: object): Promise<{ output: [{ code: string }] }> }>;
}

/** From names that no bundler of this file shall resolve: they are there in a clone alone. */
const load = <T>(name: string): Promise<T> => import(/* @vite-ignore */ name);

/** What libraries import on Node alone. */
const NODE_ONLY = /^(node:)?(fs|path|url|util|worker_threads|perf_hooks|crypto|os|child_process)$/;
const nothing = {
  name: 'nothing',
  resolveId: (id: string) => (NODE_ONLY.test(id) ? '\0nothing' : null),
  load: (id: string) => (id === '\0nothing' ? 'export default {};' : null),
};

const bundles = new Map<string, Promise<string>>();

const BINARIES = 'node_modules/@tensorflow/tfjs-backend-wasm/dist/';

/**
 * @param folder bench/peers, ending in a slash
 * @param name 'tensorflow.js', or a .wasm file that a peer asks for
 * @throws Error for the name of anything else
 */
export async function peerFile(folder: URL, name: string): Promise<string | Uint8Array> {
  if (!/^[\w-]+\.(js|wasm)$/.test(name)) throw new Error(`${JSON.stringify(name)} is no peer`);
  if (name.endsWith('.wasm')) return readWithin(new URL(BINARIES, folder), name);
  const path = await pathWithin(folder, name);
  let bundle = bundles.get(path);
  if (!bundle) bundles.set(path, (bundle = bundlePeer(path)));
  return bundle;
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
