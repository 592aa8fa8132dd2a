/** Names of the contenders, as results and tables have them. */

export const ADAL = 'adal-wasm';
export const ADAL_2 = 'adal-wasm, 2 threads';
/**
 * Two processes that share nothing: the most that two threads can give on this machine, whose
 * virtual cores may be halves of one.
 */
export const ADAL_TWICE = 'adal-wasm, 2 processes';
export const ADAL_RELAXED = 'adal-wasm, relaxed';
/** The same chain of layers, given as a graph. */
export const ADAL_GRAPH = 'adal-wasm, as a graph';
export const TF_WASM = 'TensorFlow.js wasm';
export const TF_CPU = 'TensorFlow.js cpu';
export const PLAIN = 'plain JS';
export const JAX = 'jax-js';
export const PYTORCH = 'PyTorch (native)';
/** The same step as a C program, with vectors as wide as WebAssembly's. */
export const C_128 = 'C, 128-bit';
/** The same step as a C program, with the widest vectors of the CPU. */
export const C_WIDE = 'C, widest vectors';
/** As many operations in the registers of one core, 128-bit: what no product can exceed. */
export const PEAK = 'register peak, 128-bit';
/** Contenders of several threads or processes: compared by wall time, others by CPU time. */
export const SHARED: readonly string[] = [ADAL_2, ADAL_TWICE];
