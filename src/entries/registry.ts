/** `adal-wasm/registry`: optimizers by name, and nothing else. */
export {
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
  optimizerNames,
} from '../optimizers/registry';
