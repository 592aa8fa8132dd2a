/** The layout shared with TypeScript. */
export * from '../src/memory-layout/constants';
