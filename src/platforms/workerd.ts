/** The main entry on Cloudflare's workerd, which compiles the .wasm modules of a Worker when it is deployed and no bytes later. */
import { createOptimizerFrom, createRuntimeFrom, importedBinaries } from './imported';
import optim from './optim.simd.wasm';

const binaries = /* @__PURE__ */ importedBinaries(
  { 'optim.simd': async () => optim, 'nn.simd': async () => (await import('./nn.simd.wasm')).default },
  'workerd',
);

export * from '../index';
export const createRuntime = /* @__PURE__ */ createRuntimeFrom(binaries);
export const createOptimizer = /* @__PURE__ */ createOptimizerFrom(binaries);
