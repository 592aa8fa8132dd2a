/** The former name of the entries `adal-wasm/accumulation` and `adal-wasm/averaging`. */
export * from '../accumulation';
export * from '../averaging';
