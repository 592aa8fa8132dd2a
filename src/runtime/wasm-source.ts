/**
 * The option `wasm` of `createRuntime`: binaries that the caller supplies.
 *
 * Invariant: a source is accepted only if it is this package's binary of that name and version.
 * Each binary has its name and version in a custom section; without the check, a stale copy beside
 * newer code would silently compute different bits.
 */
import { NN_FAMILIES } from '../../build/nn-families';
import packageVersion from '../../build/version.js';
import { AdalError, ArgumentError } from '../errors';
import type { ResponseLike, UrlLike } from '../types';
import { describe, fail } from '../validate';
import { type Binaries, type BinaryName, type CompiledModules, loadOnce } from './binaries';
import { builtin } from './features';

/** A compiled `WebAssembly.Module` of the platform. */
export type WasmModule = object;

/**
 * A binary: its URL, its bytes, a Response with its bytes, or a compiled WebAssembly.Module. A
 * string is a URL, relative to the page in browsers; `file:` URLs are read from the file system
 * where there is one.
 */
export type WasmSource =
  | UrlLike
  | string
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | ResponseLike
  | WasmModule;

/** Sources of binaries, by the binary's name. */
export type WasmSources = Partial<Record<BinaryName, WasmSource>>;

const NAMES: readonly BinaryName[] = [
  'optim',
  'nn',
  ...NN_FAMILIES.map((family) => `nn-${family}` as const),
].flatMap((name) => [`${name}.simd`, `${name}.threads`] as BinaryName[]);
/** Name of the custom section with a binary's name and version (scripts/build-wasm.js). */
const SECTION = 'adal-wasm';
const EXPECTED = 'a URL, bytes, a Response or a WebAssembly.Module';

/** The compilers by `Object.prototype.toString`, which is the same for objects of other realms. */
const COMPILERS: Record<string, (source: never) => Promise<WebAssembly.Module>> = {
  '[object String]': compileAddress,
  '[object URL]': compileAddress,
  '[object ArrayBuffer]': (bytes: ArrayBuffer) => WebAssembly.compile(bytes),
  '[object Response]': compileResponse,
  '[object WebAssembly.Module]': async (module: WebAssembly.Module) => module,
};

/**
 * Returns the binaries of the option `wasm`; binaries that it lacks come from `others`.
 * @param wasm the source of optim.simd, or sources by name
 * @throws ArgumentError if it is neither
 */
export function binariesFromOption(wasm: WasmSource | WasmSources, others: Binaries): Binaries {
  const sources: WasmSources = compilerOf(wasm)
    ? { 'optim.simd': wasm as WasmSource }
    : checkNames(wasm);
  const oneThread = 'optim.simd' in sources && !('optim.threads' in sources);
  const modules: CompiledModules = new Map();
  return {
    load: (name) => {
      const source = sources[name as BinaryName];
      if (source === undefined) return others.load(name);
      return loadOnce(modules, name, () => compile(name as BinaryName, source));
    },
    // A caller who supplies an nn binary means exactly that one.
    relaxed: others.relaxed && !Object.keys(sources).some((name) => name.startsWith('nn.')),
    whyNoThreads: oneThread ? `option "wasm" has no 'optim.threads'` : others.whyNoThreads,
  };
}

function compilerOf(source: unknown): ((source: never) => Promise<WebAssembly.Module>) | undefined {
  if (ArrayBuffer.isView(source)) return compileView;
  return COMPILERS[Object.prototype.toString.call(source)];
}

function checkNames(wasm: unknown): WasmSources {
  if (typeof wasm !== 'object' || wasm === null || Array.isArray(wasm))
    fail('wasm', `${EXPECTED}, or these by name`, wasm);
  for (const [name, source] of Object.entries(wasm)) {
    if (!NAMES.includes(name as BinaryName)) {
      throw new ArgumentError(`wasm['${name}']`, `one of ${NAMES.join(', ')}`, 'an unknown name');
    }
    if (!compilerOf(source)) fail(`wasm['${name}']`, EXPECTED, source);
  }
  return { ...wasm };
}

async function compile(name: BinaryName, source: WasmSource): Promise<WebAssembly.Module> {
  const expected = `${name}.wasm of adal-wasm ${packageVersion}`;
  let module: WebAssembly.Module;
  try {
    module = await compilerOf(source)!(source as never);
  } catch (cause) {
    if (cause instanceof AdalError) throw cause;
    const error = new ArgumentError(
      `wasm['${name}']`,
      expected,
      `${describe(source)}: ${String(cause)}`,
    );
    error.cause = cause;
    throw error;
  }
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  const identity = section ? new TextDecoder().decode(section) : 'another module';
  if (identity !== expected) throw new ArgumentError(`wasm['${name}']`, expected, identity);
  return module;
}

/** Compiles the bytes of a view; engines do not accept a DataView. */
function compileView({
  buffer,
  byteOffset,
  byteLength,
}: ArrayBufferView<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(new Uint8Array(buffer, byteOffset, byteLength));
}

/** Compiles the binary at a URL. */
async function compileAddress(address: string | URL): Promise<WebAssembly.Module> {
  const { location } = globalThis as { location?: { href: string } };
  const url = new URL(address, location?.href);
  const fs = url.protocol === 'file:' ? builtin<typeof import('node:fs')>('node:fs') : undefined;
  if (fs) return WebAssembly.compile(fs.readFileSync(url));
  return compileResponse(await fetch(url));
}

/** Compiles the body of a response. */
async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`status ${response.status} from ${response.url}`);
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  if (isWasm && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
