/**
 * as-pect compiles every spec under assembly/ in a debug build of its own and runs it with SIMD.
 */
export default {
  entries: ['assembly/**/__tests__/**/*.spec.ts'],
  include: ['assembly/**/__tests__/**/*.include.ts'],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
