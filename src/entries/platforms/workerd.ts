/**
 * The main entry for Cloudflare's workerd. workerd compiles a Worker's .wasm modules when the
 * Worker is deployed, and refuses to compile bytes at run time.
 */
import {
  createOptimizerIn,
  type createOptimizer as inlinedCreateOptimizer,
} from '../../optimizers/registry';
import type { Binaries } from '../../runtime/binaries';
import {
  createRuntimeWith,
  type createRuntime as inlinedCreateRuntime,
} from '../../runtime/runtime';
import optim from './optim.simd.wasm';

const binaries: Binaries = {
  load: async (name) => (name === 'optim.simd' ? optim : (await import('./nn.simd.wasm')).default),
  relaxed: false,
  whyNoThreads: 'no threads on workerd',
};

export * from '../../index';
export const createRuntime: typeof inlinedCreateRuntime = (options) =>
  createRuntimeWith(binaries, options);
export const createOptimizer: typeof inlinedCreateOptimizer = (name, params, options) =>
  createOptimizerIn(createRuntime, name, params, options);
