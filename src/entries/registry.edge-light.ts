/** `adal-wasm/registry` on Vercel's edge runtime. */
export { createOptimizer, optimizerNames } from './edge-light';
