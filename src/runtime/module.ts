/**
 * The binaries: where they come from, compiled once each, instantiated once a runtime.
 *
 * By default they are inlined, each in a module of its own that loads when it is first needed, so that bundlers need no
 * configuration and nobody pays for what he does not use. Platforms that forbid compiling have them as modules already.
 */
import { instantiate as loaderInstantiate } from '@assemblyscript/loader';
import type { LinearMemory } from './memory';

/** Two modules, each for one thread (`simd`) and for shared memory (`threads`). The package has them as `<name>.wasm`. */
export type BinaryName = 'optim.simd' | 'optim.threads' | 'nn.simd' | 'nn.threads';

/** Gives compiled binaries by name. */
export interface Binaries {
  load(name: BinaryName): Promise<WebAssembly.Module>;
  /** Why there are none for threads; null where there are. */
  readonly whyNoThreads: string | null;
}

const INLINED: Record<BinaryName, () => Promise<{ default: string }>> = {
  'optim.simd': () => import('../../build/optim.simd.js'),
  'optim.threads': () => import('../../build/optim.threads.js'),
  'nn.simd': () => import('../../build/nn.simd.js'),
  'nn.threads': () => import('../../build/nn.threads.js'),
};

/** Modules under way or compiled. A failure is forgotten, so that the next runtime tries again. */
export type CompiledModules = Map<BinaryName, Promise<WebAssembly.Module>>;

const compiled: CompiledModules = new Map();

/** The inlined ones, decoded and compiled once a process. */
export const inlinedBinaries: Binaries = {
  load: (name) => once(compiled, name, async () => WebAssembly.compile(decodeBase64((await INLINED[name]()).default))),
  whyNoThreads: null,
};

/** What `modules` has under `name`, or else what `load` gives. */
export function once(
  modules: CompiledModules,
  name: BinaryName,
  load: () => Promise<WebAssembly.Module>,
): Promise<WebAssembly.Module> {
  let module = modules.get(name);
  if (!module) {
    module = load();
    module.catch(() => modules.delete(name));
    modules.set(name, module);
  }
  return module;
}

/** Raw exports of an instance over `memory`; the loader's own wrappers would cost several times a call. */
export async function instantiate<Kernels>(module: WebAssembly.Module, memory: LinearMemory): Promise<Kernels> {
  const imports = { env: { memory: memory.source as WebAssembly.Memory } };
  // Vercel's edge runtime hands over modules of another realm, which the loader takes for bytes.
  if (!(module instanceof WebAssembly.Module)) return new WebAssembly.Instance(module, imports).exports as Kernels;
  const { instance } = await loaderInstantiate(module, imports);
  return instance.exports as Kernels;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (native.fromBase64) return native.fromBase64(text);
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
