/** `adal-wasm/registry` there. */
export { createOptimizer, optimizerNames } from './edge-light';
