/**
 * The main entry for Vercel's edge runtime, where `?module` makes the bundler import a compiled
 * module.
 */
import {
  createOptimizerIn,
  type createOptimizer as inlinedCreateOptimizer,
} from '../../optimizers/registry';
import type { Binaries, FamilyModules } from '../../runtime/binaries';
import {
  createRuntimeWith,
  type createRuntime as inlinedCreateRuntime,
} from '../../runtime/runtime';
import nn from './nn.simd.wasm?module';
import optim from './optim.simd.wasm?module';

/** Imported when a model first needs them. */
const MODULES: FamilyModules = {
  'nn.simd': async () => ({ default: nn }),
  'nn-attention.simd': () => import('./nn-attention.simd.wasm?module'),
  'nn-recurrent.simd': () => import('./nn-recurrent.simd.wasm?module'),
};

const binaries: Binaries = {
  load: async (name) =>
    name === 'optim.simd' ? optim : (await MODULES[name as keyof FamilyModules]()).default,
  relaxed: false,
  whyNoThreads: 'no threads on the edge runtime',
};

export * from '../../index';
export const createRuntime: typeof inlinedCreateRuntime = (options) =>
  createRuntimeWith(binaries, options);
export const createOptimizer: typeof inlinedCreateOptimizer = (name, params, options) =>
  createOptimizerIn(createRuntime, name, params, options);
