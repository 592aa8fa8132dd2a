/**
 * Runs one task on Node, Deno or Bun, in a process of its own: `child.js <task> <argument as
 * JSON>`. The process must exit by itself.
 */
import { adal, measureLifetimes, runSuite } from '../../build/runtimes/suite.node.js';

const [task, argument] = process.argv.slice(2);
const report = (value) => console.log(`REPORT ${JSON.stringify(value)}`);

function describeRuntime() {
  const { Deno, Bun } = globalThis;
  const name = Deno
    ? `Deno ${Deno.version.deno}`
    : Bun
      ? `Bun ${Bun.version}`
      : `Node ${process.versions.node}`;
  return `${name}, ${process.arch}`;
}

function heapBytes() {
  if (globalThis.Bun) globalThis.Bun.gc(true);
  else globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** Programs that never dispose of anything and must exit nevertheless. */
const PROGRAMS = {
  'that has only created a runtime': async () => {},
  'that took steps': async (optimizer) => {
    for (let t = 0; t < 20; t++) optimizer.step();
  },
  'that took async steps': async (optimizer) => {
    for (let t = 0; t < 20; t++) await optimizer.stepAsync();
  },
  'that did not wait for its last async step': async (optimizer) => {
    optimizer.stepAsync().then(({ step }) => report({ step }));
  },
  'that took both': async (optimizer) => {
    optimizer.step();
    await optimizer.stepAsync();
    optimizer.step();
  },
};

const TASKS = {
  async suite({ configuration, backend }) {
    report({ runtime: describeRuntime(), ...(await runSuite(configuration, backend)) });
  },
  async lifetimes(cycles) {
    report(await measureLifetimes(cycles, heapBytes));
  },
  async program(name) {
    const runtime = await adal.createRuntime({ threads: 2, parallelThreshold: 0 });
    const optimizer = new adal.AdaL(runtime, { w: new Float32Array(100_000) });
    optimizer.grads.w.fill(1);
    await PROGRAMS[name](optimizer);
    report({ threads: runtime.info.threads });
  },
  async programs() {
    report(Object.keys(PROGRAMS));
  },
};

await TASKS[task](JSON.parse(argument ?? 'null'));
