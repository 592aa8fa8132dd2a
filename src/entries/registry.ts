/**
 * Optimizers by name: `createOptimizer` and its types.
 *
 * @module adal-wasm/registry
 */
export {
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
  optimizerNames,
} from '../optimizers/registry';
