/**
 * The former name of the entries `adal-wasm/accumulation` and `adal-wasm/averaging`.
 *
 * @module adal-wasm/gradients
 */
export * from '../accumulation';
export * from '../averaging';
