/** `adal-wasm/registry` on Cloudflare's workerd. */
export { createOptimizer, optimizerNames } from './workerd';
