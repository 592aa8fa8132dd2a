/** The layout shared with TypeScript, plus what only kernels need. */
export * from '../src/abi/layout';

/** Bytes of one v128. */
export const VECTOR: usize = 16;
/** Bytes that one turn of an optimizer loop advances: UNROLL f32. */
export const TURN: usize = 64;
