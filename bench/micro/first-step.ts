/**
 * The program that cold-start.ts runs in a fresh process of Node, Deno or Bun: times the first AdaL
 * step from the import on, and prints one line of JSON, in ms.
 *
 *   first-step.js [threads]
 *
 * Without a number the library chooses how many threads to use, as in a user's first program.
 */
const threads = Number(process.argv[2] ?? 0);
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const beginCpu = cpuMs();
const begin = performance.now();
const { createOptimizer, createRuntime } = await import('adal-wasm');
const imported = performance.now();
const runtime = threads > 0 ? await createRuntime({ threads }) : undefined;
const created = performance.now();
const optimizer = await createOptimizer('adal', { w: { shape: [1000] } }, runtime && { runtime });
optimizer.step({ w: new Float32Array(1000).fill(0.1) });
const end = performance.now();
const cpu = cpuMs() - beginCpu;
console.log(
  JSON.stringify({
    importMs: imported - begin,
    runtimeMs: created - imported,
    totalMs: end - begin,
    cpuMs: cpu,
  }),
);

export {};
