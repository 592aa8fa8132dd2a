/**
 * The main entry for Cloudflare's workerd. workerd compiles a Worker's .wasm modules when the
 * Worker is deployed, and refuses to compile bytes at run time.
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
import optim from './optim.simd.wasm';

/** Imported when a model first needs them. */
const MODULES: FamilyModules = {
  'nn.simd': () => import('./nn.simd.wasm'),
  'nn-attention.simd': () => import('./nn-attention.simd.wasm'),
  'nn-recurrent.simd': () => import('./nn-recurrent.simd.wasm'),
};

const binaries: Binaries = {
  load: async (name) =>
    name === 'optim.simd' ? optim : (await MODULES[name as keyof FamilyModules]()).default,
  relaxed: false,
  whyNoThreads: 'no threads on workerd',
};

export * from '../../index';
export const createRuntime: typeof inlinedCreateRuntime = (options) =>
  createRuntimeWith(binaries, options);
export const createOptimizer: typeof inlinedCreateOptimizer = (name, params, options) =>
  createOptimizerIn(createRuntime, name, params, options);
