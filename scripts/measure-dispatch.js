/**
 * Measures the latency of handing a job to another thread: the round trip of an empty step that a
 * worker does alone, both of its phases, while this thread only watches for its end. The worker
 * spins (jobs back to back) or is parked (after a pause). Prints a line of JSON, in µs; `npm run
 * bench:step` shows it.
 *
 * The latency sets the size from which steps are shared (MINIMUM_PARALLEL_ELEMENTS): a worker that
 * begins L late saves nothing on work that takes less than L alone. It costs next to nothing
 * either, because the calling thread works on and never waits for it.
 *
 * Reaches into build/ and src/: the pool and its job records are internal, and the public API never
 * waits for a worker that has nothing to do.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import workerSource from '../build/worker.js';
import records from '../src/memory-layout/optim-records.js';
import { layOut } from './generate/records.js';

const JOBS = 2000;
const PARKED_JOBS = 300;
/** Well past the time that workers spin. */
const PAUSE_MS = 3;
const SPINS = 20_000;

/** States of a worker, WORKER_… in src/memory-layout/constants.ts. */
const [STARTING, READY, EXITED, FAILED, ABSENT] = [0, 1, 2, 3, 4];

/** Returns the byte offsets of a record's fields, and its size. */
function offsetsOf(name) {
  const { fields, size } = layOut(name, records[name]);
  return { ...Object.fromEntries(fields.map((each) => [each.field, each.offset])), size };
}

async function createPool() {
  const [job, step] = [offsetsOf('JobRecord'), offsetsOf('StepRecord')];
  const module = await WebAssembly.compile(
    readFileSync(new URL('../build/optim.threads.wasm', import.meta.url)),
  );
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const words = new Int32Array(memory.buffer);
  const [control, table] = [64, 2048];
  const indexOf = (address) => address / 4;
  words[indexOf(table + step.taskCount)] = 1; // One task a phase, of no blocks.
  words[indexOf(table + step.tasks)] = table + step.size;
  const stateIndex = indexOf(control + job.workers);
  const worker = new Worker(workerSource, {
    eval: true,
    workerData: {
      module,
      memory,
      serve: 'stepServe',
      control,
      thread: 1,
      spins: SPINS,
      stateIndex,
      eventIndex: indexOf(control + job.event),
      errorLengthIndex: indexOf(control + job.errorLength),
      errorTextOffset: control + job.errorText,
      errorBytes: 0,
      ready: READY,
      exited: EXITED,
      failed: FAILED,
      absent: ABSENT,
    },
  });
  const state = () => Atomics.load(words, stateIndex);
  while (state() === STARTING) await new Promise((resolve) => setTimeout(resolve, 1));
  if (state() !== READY) throw new Error(`the worker ended in state ${state()} instead of serving`);
  const finished = indexOf(control + job.finished);
  return {
    /** Microseconds from handing an empty step over to its end. */
    roundTrip() {
      const begin = performance.now();
      exports.stepBegin(control, table);
      while (Atomics.load(words, finished) === 0);
      return 1000 * (performance.now() - begin);
    },
    end: () => worker.terminate(),
  };
}

/** The p-quantile, by nearest rank. */
function quantile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(p * sorted.length)];
}

/** Returns { spinning, parked }, each { p50, p90 }, in µs. */
async function measureDispatch() {
  const pool = await createPool();
  for (let i = 0; i < JOBS; i++) pool.roundTrip();
  const spinning = Array.from({ length: JOBS }, () => pool.roundTrip());
  const parked = [];
  for (let i = 0; i < PARKED_JOBS; i++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    parked.push(pool.roundTrip());
  }
  await pool.end();
  const summary = (times) => ({ p50: quantile(times, 0.5), p90: quantile(times, 0.9) });
  return { spinning: summary(spinning), parked: summary(parked) };
}

console.log(JSON.stringify(await measureDispatch()));
