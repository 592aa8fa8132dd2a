/**
 * The binaries: decoded and compiled once a process, instantiated once a runtime. They are inlined, each in a module of
 * its own that loads when it is first needed, so that bundlers need no configuration and nobody pays for what he does not use.
 */
import { instantiate as loaderInstantiate } from '@assemblyscript/loader';
import type { LinearMemory } from './memory';

export type BinaryName = 'optim.simd' | 'optim.threads' | 'nn.simd' | 'nn.threads';

const SOURCES: Record<BinaryName, () => Promise<{ default: string }>> = {
  'optim.simd': () => import('../../build/optim.simd.js'),
  'optim.threads': () => import('../../build/optim.threads.js'),
  'nn.simd': () => import('../../build/nn.simd.js'),
  'nn.threads': () => import('../../build/nn.threads.js'),
};

const compiled = new Map<BinaryName, Promise<WebAssembly.Module>>();

/** The compiled binary. */
export function loadModule(name: BinaryName): Promise<WebAssembly.Module> {
  let module = compiled.get(name);
  if (!module) {
    module = SOURCES[name]().then((source) => WebAssembly.compile(decodeHex(source.default)));
    module.catch(() => compiled.delete(name));
    compiled.set(name, module);
  }
  return module;
}

/** Raw exports of an instance over `memory`; the loader's own wrappers would cost several times a call. */
export async function instantiate<Kernels>(module: WebAssembly.Module, memory: LinearMemory): Promise<Kernels> {
  const { instance } = await loaderInstantiate(module, { env: { memory: memory.source as WebAssembly.Memory } });
  return instance.exports as Kernels;
}

/** Hexadecimal, since what repeats in a binary repeats there too: base64 of the optim module is 40% longer once compressed. */
function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (native.fromHex) return native.fromHex(text);
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
