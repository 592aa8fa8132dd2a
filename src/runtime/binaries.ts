/**
 * The binaries: where they come from, compiled once each, instantiated once a runtime.
 *
 * By default they are inlined, each in a module of its own that loads when it is first needed, so
 * that bundlers need no configuration and nobody pays for what he does not use. Platforms that
 * forbid compiling have them as modules already.
 */
import { instantiateSync, instantiate as loaderInstantiate } from '@assemblyscript/loader';
import { UnsupportedError } from '../errors';
import type { LinearMemory } from './memory';

/**
 * Two modules, each for one thread (`simd`) and for shared memory (`threads`). The package has them
 * as `<name>.wasm`.
 */
export type ExactBinaryName = 'optim.simd' | 'optim.threads' | 'nn.simd' | 'nn.threads';
/** And nn with fused multiply-adds: inlined only. */
export type BinaryName = ExactBinaryName | 'nn.relaxed.simd' | 'nn.relaxed.threads';

/** Gives compiled binaries by name. */
export interface Binaries {
  load(name: BinaryName): Promise<WebAssembly.Module>;
  /** Whether there are relaxed ones. */
  readonly relaxed: boolean;
  /** Why there are none for threads; null where there are. */
  readonly whyNoThreads: string | null;
}

const INLINED: Record<BinaryName, () => Promise<{ default: string }>> = {
  'optim.simd': () => import('../../build/optim.simd.js'),
  'optim.threads': () => import('../../build/optim.threads.js'),
  'nn.simd': () => import('../../build/nn.simd.js'),
  'nn.threads': () => import('../../build/nn.threads.js'),
  'nn.relaxed.simd': () => import('../../build/nn.relaxed.simd.js'),
  'nn.relaxed.threads': () => import('../../build/nn.relaxed.threads.js'),
};

/** Modules under way or compiled. A failure is forgotten, so that the next runtime tries again. */
export type CompiledModules = Map<BinaryName, Promise<WebAssembly.Module>>;

const compiled: CompiledModules = new Map();

/** The inlined ones, decoded and compiled once a process. */
export const inlinedBinaries: Binaries = {
  load: (name) => once(compiled, name, () => permitted(() => compileInlined(name))),
  relaxed: true,
  whyNoThreads: null,
};

async function compileInlined(name: BinaryName): Promise<WebAssembly.Module> {
  return WebAssembly.compile(decodeHex((await INLINED[name]()).default));
}

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

/**
 * Raw exports of an instance over `memory`; the loader's own wrappers would cost several times a
 * call.
 * @throws UnsupportedError where WebAssembly is forbidden
 */
export async function instantiate<Kernels>(
  module: WebAssembly.Module,
  memory: LinearMemory,
): Promise<Kernels> {
  const imports = { env: { memory: memory.source as WebAssembly.Memory } };
  // Vercel's edge runtime hands over modules of another realm, which the loader takes for bytes.
  if (!(module instanceof WebAssembly.Module))
    return new WebAssembly.Instance(module, imports).exports as Kernels;
  return (await permitted(async () => instantiateCompiled(module, imports))).instance
    .exports as Kernels;
}

/**
 * The loader's `instantiate` asks for `Response`, for which Node loads all of its fetch: 20 ms on
 * the way to a first step.
 */
function instantiateCompiled(
  module: WebAssembly.Module,
  imports: { env: { memory: WebAssembly.Memory } },
) {
  try {
    return instantiateSync(module, imports);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return loaderInstantiate(module, imports); // Chromium before 115 allows nothing else on pages
  }
}

/**
 * What compiling or instantiating gives; engines differ in which of them they forbid.
 * @throws UnsupportedError where WebAssembly is forbidden (pages whose CSP lacks
 * 'wasm-unsafe-eval', some edge platforms), and
 * where the engine has no memory for the code
 */
async function permitted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) {
      throw new UnsupportedError(`WebAssembly may not be compiled here: ${cause.message}`, {
        cause,
      });
    }
    // V8's word for "out of memory", and for what it does not allow on a page's main thread.
    if (cause instanceof RangeError)
      throw new UnsupportedError(`the engine refused the code: ${cause.message}`, { cause });
    throw cause;
  }
}

/**
 * Hexadecimal, since what repeats in a binary repeats there too: base64 of the optim module is 40%
 * longer once compressed.
 */
function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> };
  if (native.fromHex) return native.fromHex(text);
  // Not by its bare name, for which some bundlers ship a Buffer of their own.
  const { Buffer } = globalThis as {
    Buffer?: { from(text: string, encoding: 'hex'): Uint8Array<ArrayBuffer> };
  };
  if (Buffer) return Buffer.from(text, 'hex');
  // Four bytes at a time by the engine's own parser: code of ours would run interpreted, several
  // times slower, at a cold start.
  const words = new DataView(new ArrayBuffer(text.length / 2 + 3));
  for (let at = 0; at < text.length; at += 8)
    words.setUint32(at / 2, Number.parseInt(text.slice(at, at + 8).padEnd(8, '0'), 16));
  return new Uint8Array(words.buffer, 0, text.length / 2);
}
