/**
 * Times the start of a process in milliseconds: importing the library, creating a runtime and an
 * optimizer, and the first step.
 */
const begin = performance.now();
const { createOptimizer, createRuntime } = await import('adal-wasm');
const imported = performance.now();
const runtime = await createRuntime({ backend: 'simd' });
const optimizer = await createOptimizer('adal', { w: { shape: [1000] } }, { runtime });
const created = performance.now();
optimizer.grads.w.fill(1e-3);
optimizer.step();
const stepped = performance.now();
console.log(
  JSON.stringify({
    importMs: imported - begin,
    createMs: created - imported,
    firstStepMs: stepped - created,
  }),
);

export {};
