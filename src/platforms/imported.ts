/** What an entry needs where bytes may not be compiled: binaries that the platform compiled and hands over by import. */
import { type createOptimizer, createOptimizerIn } from '../optimizers/registry';
import type { Binaries, BinaryName } from '../runtime/module';
import { createRuntimeOver, type RuntimeOptions } from '../runtime/runtime';

/** Those for one thread: these platforms have no others. */
type Imports = Record<Extract<BinaryName, `${string}.simd`>, () => Promise<WebAssembly.Module>>;

export function importedBinaries(imports: Imports, platform: string): Binaries {
  return { load: (name) => imports[name as keyof Imports](), whyNoThreads: `no threads on ${platform}` };
}

/** `createRuntime` over these binaries. */
export function createRuntimeFrom(binaries: Binaries) {
  return (options: RuntimeOptions = {}) => createRuntimeOver(binaries, options);
}

/** `createOptimizer` over these binaries. */
export function createOptimizerFrom(binaries: Binaries): typeof createOptimizer {
  const create = createRuntimeFrom(binaries);
  return (name, params, options) => createOptimizerIn(create, name, params, options);
}
