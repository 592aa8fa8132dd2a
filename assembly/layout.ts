/** The layout shared with TypeScript. */
export * from '../src/abi/layout';
