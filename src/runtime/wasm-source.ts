/**
 * Binaries that the caller brings: the option `wasm` of `createRuntime`.
 *
 * Invariant: only the package's own binaries of this very version are accepted, each in its place.
 * They carry name and version in a custom section; a stale copy beside newer code would compute
 * other bits without a word.
 */
import packageVersion from '../../build/version.js';
import { AdalError, ArgumentError } from '../errors';
import { describe, fail } from '../validate';
import { type Binaries, type CompiledModules, type ExactBinaryName, once } from './binaries';
import { builtin } from './features';

/**
 * A binary: where to fetch it, its bytes, a response that brings them, or compiled. A string is a
 * URL, on pages relative to the page; `file:` URLs are read where there is a file system.
 */
export type WasmSource =
  | URL
  | string
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | Response
  | WebAssembly.Module;

/** Binaries by name. */
export type WasmSources = Partial<Record<ExactBinaryName, WasmSource>>;

const NAMES: readonly ExactBinaryName[] = ['optim.simd', 'optim.threads', 'nn.simd', 'nn.threads'];
/** Of the custom section in which a binary says what it is (scripts/build-wasm.js). */
const SECTION = 'adal-wasm';
const EXPECTED = 'a URL, bytes, a Response or a WebAssembly.Module';

/** By what `Object.prototype.toString` says, which other realms' objects do not change. */
const COMPILERS: Record<string, (source: never) => Promise<WebAssembly.Module>> = {
  '[object String]': compileAddress,
  '[object URL]': compileAddress,
  '[object ArrayBuffer]': (bytes: ArrayBuffer) => WebAssembly.compile(bytes),
  '[object Response]': compileResponse,
  '[object WebAssembly.Module]': async (module: WebAssembly.Module) => module,
};

/**
 * The binaries that `wasm` gives, and those it does not give from `others`.
 * @param wasm one source, which is optim.simd's, or sources by name
 * @throws ArgumentError when it is neither
 */
export function bringBinaries(wasm: WasmSource | WasmSources, others: Binaries): Binaries {
  const sources: WasmSources = compilerOf(wasm)
    ? { 'optim.simd': wasm as WasmSource }
    : checkNames(wasm);
  const oneThread = 'optim.simd' in sources && !('optim.threads' in sources);
  const modules: CompiledModules = new Map();
  return {
    load: (name) => {
      const source = sources[name as ExactBinaryName];
      if (source === undefined) return others.load(name);
      return once(modules, name, () => compile(name as ExactBinaryName, source));
    },
    // Whoever brings an nn of his own means that one.
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
    if (!NAMES.includes(name as ExactBinaryName)) {
      throw new ArgumentError(`wasm['${name}']`, `one of ${NAMES.join(', ')}`, 'an unknown name');
    }
    if (!compilerOf(source)) fail(`wasm['${name}']`, EXPECTED, source);
  }
  return { ...wasm };
}

async function compile(name: ExactBinaryName, source: WasmSource): Promise<WebAssembly.Module> {
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

/** Engines take no DataView. */
function compileView({
  buffer,
  byteOffset,
  byteLength,
}: ArrayBufferView<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(new Uint8Array(buffer, byteOffset, byteLength));
}

async function compileAddress(address: string | URL): Promise<WebAssembly.Module> {
  const { location } = globalThis as { location?: { href: string } };
  const url = new URL(address, location?.href);
  const fs = url.protocol === 'file:' ? builtin<typeof import('node:fs')>('node:fs') : undefined;
  if (fs) return WebAssembly.compile(fs.readFileSync(url));
  return compileResponse(await fetch(url));
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`status ${response.status} from ${response.url}`);
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  if (isWasm && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}
