/**
 * Loads the WebAssembly binaries: compiles each once per process and instantiates it once per
 * runtime.
 *
 * By default the binaries are inlined. Each is a JavaScript module of its own that is imported when
 * it is first needed, so that bundlers need no configuration and an application loads only what it
 * uses. Platforms that forbid compiling at run time import them as compiled modules instead.
 */
import { FAMILY_BINARIES, type NNFamily } from '../../build/nn-families';
import { UnsupportedError } from '../errors';
import type { LinearMemory } from './memory';

/**
 * The name of a binary that the package also ships as `<name>.wasm`: the optimizers (`optim`), the
 * models (`nn`) or a family of layers (`nn-recurrent`), compiled for one thread (`simd`) or for
 * shared memory (`threads`).
 */
export type BinaryName = `${'optim' | 'nn' | `nn-${NNFamily}`}.${'simd' | 'threads'}`;
/** The name of any binary; those with fused multiply-adds are only inlined. */
export type AnyBinaryName = BinaryName | 'nn.relaxed.simd' | 'nn.relaxed.threads';

/** Imports of the compiled modules of models, on platforms that import .wasm files. */
export type FamilyModules = Record<
  `nn.simd` | `nn-${NNFamily}.simd`,
  () => Promise<{ default: WebAssembly.Module }>
>;

/** A source of compiled binaries. */
export interface Binaries {
  /** Returns a compiled binary. */
  load(name: AnyBinaryName): Promise<WebAssembly.Module>;
  /** Whether the source has the binaries with fused multiply-adds. */
  readonly relaxed: boolean;
  /** Why the source has no binaries for threads; null if it has them. */
  readonly whyNoThreads: string | null;
}

const INLINED: Record<AnyBinaryName, () => Promise<{ default: string }>> = {
  'optim.simd': () => import('../../build/optim.simd.js'),
  'optim.threads': () => import('../../build/optim.threads.js'),
  'nn.simd': () => import('../../build/nn.simd.js'),
  'nn.threads': () => import('../../build/nn.threads.js'),
  'nn.relaxed.simd': () => import('../../build/nn.relaxed.simd.js'),
  'nn.relaxed.threads': () => import('../../build/nn.relaxed.threads.js'),
  ...FAMILY_BINARIES,
};

/**
 * Modules compiled or being compiled. A failure is removed, so that the next runtime tries again.
 */
export type CompiledModules = Map<AnyBinaryName, Promise<WebAssembly.Module>>;

const compiled: CompiledModules = new Map();

/** The inlined binaries, decoded and compiled once per process. */
export const inlinedBinaries: Binaries = {
  load: (name) => loadOnce(compiled, name, () => translateRefusals(() => compileInlined(name))),
  relaxed: true,
  whyNoThreads: null,
};

async function compileInlined(name: AnyBinaryName): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decodeHex((await INLINED[name]()).default));
}

/** Returns the module that `modules` has under `name`; if there is none, loads and adds it. */
export function loadOnce(
  modules: CompiledModules,
  name: AnyBinaryName,
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

/**
 * Instantiates a module over `memory` and returns its raw exports; a call through the loader's
 * wrappers would take several times as long.
 * @throws UnsupportedError where WebAssembly is forbidden
 */
export async function instantiate<Kernels>(
  module: WebAssembly.Module,
  memory: LinearMemory,
): Promise<Kernels> {
  const imports = { env: { memory: memory.source as WebAssembly.Memory } };
  const instance = await translateRefusals(() => instantiateCompiled(module, imports));
  return instance.exports as Kernels;
}

/**
 * Instantiates a compiled module. The loader is loaded only where the engine allows nothing but
 * asynchronous instantiation: its code is a twelfth of a program with one optimizer, and in Node
 * its `instantiate` loads the whole of fetch, 20 ms before the first step.
 */
async function instantiateCompiled(
  module: WebAssembly.Module,
  imports: { env: { memory: WebAssembly.Memory } },
): Promise<WebAssembly.Instance> {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // All that Chromium before 115 allows on pages.
    const { instantiate } = await import('@assemblyscript/loader');
    return (await instantiate(module, imports)).instance;
  }
}

/**
 * Runs `work`, which compiles or instantiates, and turns the engine's refusal into an error of
 * ours. Engines differ in which of the two they forbid.
 * @throws UnsupportedError where WebAssembly is forbidden (pages whose CSP lacks
 * 'wasm-unsafe-eval', some edge platforms), and where the engine has no memory for the code
 */
async function translateRefusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) {
      throw new UnsupportedError(`WebAssembly may not be compiled here: ${cause.message}`, {
        cause,
      });
    }
    // V8 throws it when out of memory, and for what it does not allow on a page's main thread.
    if (cause instanceof RangeError)
      throw new UnsupportedError(`the engine refused the code: ${cause.message}`, { cause });
    throw cause;
  }
}

/**
 * Decodes an inlined binary. Hexadecimal text keeps the repetitions of the binary: base64 of the
 * optim module would be 40% longer once compressed.
 */
function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (native.fromHex) return native.fromHex(text);
  // Not the bare name `Buffer`: some bundlers would ship a polyfill for it.
  const { Buffer } = globalThis as {
    Buffer?: { from(text: string, encoding: 'hex'): Uint8Array<ArrayBuffer> };
  };
  if (Buffer) return Buffer.from(text, 'hex');
  // The engine's own parser, four bytes at a time: at a cold start our own loop would run
  // interpreted, several times slower.
  const words = new DataView(new ArrayBuffer(text.length / 2 + 3));
  for (let at = 0; at < text.length; at += 8)
    words.setUint32(at / 2, Number.parseInt(text.slice(at, at + 8).padEnd(8, '0'), 16));
  return new Uint8Array(words.buffer, 0, text.length / 2);
}
