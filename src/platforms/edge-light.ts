/** The main entry on Vercel's edge runtime, where `?module` asks the bundler for a compiled module. */
import { createOptimizerFrom, createRuntimeFrom, importedBinaries } from './imported';
import nn from './nn.simd.wasm?module';
import optim from './optim.simd.wasm?module';

const binaries = /* @__PURE__ */ importedBinaries(
  { 'optim.simd': async () => optim, 'nn.simd': async () => nn },
  'the edge runtime',
);

export * from '../index';
export const createRuntime = /* @__PURE__ */ createRuntimeFrom(binaries);
export const createOptimizer = /* @__PURE__ */ createOptimizerFrom(binaries);
