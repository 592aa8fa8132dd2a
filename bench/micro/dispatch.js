/**
 * What it costs to hand a job to another thread: the round trip of an empty step that a worker does
 * alone, both of its phases, while this thread only watches for its end. Measured with the worker
 * spinning (jobs back to back) and parked (after a pause).
 *
 * It sets the size from which steps are shared (MINIMUM_PARALLEL_ELEMENTS): a worker that begins L
 * late saves nothing on work that takes less than L alone. It costs next to nothing either, since
 * the calling thread works on and never waits for it.
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import workerSource from '../../build/worker.js';
import { quantile } from '../harness/stats.js';

const JOBS = 2000;
const PARKED_JOBS = 300;
/** Well past the time that workers spin. */
const PAUSE_MS = 3;
const SPINS = 20_000;

/** The constants of src/abi/layout.ts, by name. */
function readLayout() {
  const source = readFileSync(
    new URL('../../src/memory-layout/constants.ts', import.meta.url),
    'utf8',
  );
  return Object.fromEntries(
    [...source.matchAll(/export const (\w+) = (\d+);/g)].map(([, name, value]) => [
      name,
      Number(value),
    ]),
  );
}

async function createPool() {
  const L = readLayout();
  const module = await WebAssembly.compile(
    readFileSync(new URL('../../build/optim.threads.wasm', import.meta.url)),
  );
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const words = new Int32Array(memory.buffer);
  const control = 64;
  const table = 2048;
  words[(table + L.STEP_TASK_COUNT) >> 2] = 1; // one task a phase, of no blocks
  words[(table + L.STEP_TASKS) >> 2] = table + L.STEP_SIZE;
  const states = {
    ready: L.WORKER_READY,
    exited: L.WORKER_EXITED,
    failed: L.WORKER_FAILED,
    absent: L.WORKER_ABSENT,
  };
  const errors = {
    errorLengthOffset: control + L.JOB_ERROR_LENGTH,
    errorTextOffset: control + L.JOB_ERROR_TEXT,
    errorBytes: L.JOB_ERROR_BYTES,
  };
  const offsets = {
    stateOffset: control + L.JOB_WORKERS,
    eventOffset: control + L.JOB_EVENT,
    ...errors,
  };
  const worker = new Worker(workerSource, {
    eval: true,
    workerData: {
      module,
      memory,
      serve: 'stepServe',
      control,
      thread: 1,
      spins: SPINS,
      ...offsets,
      ...states,
    },
  });
  const state = () => Atomics.load(words, offsets.stateOffset >> 2);
  while (state() === L.WORKER_STARTING) await new Promise((resolve) => setTimeout(resolve, 1));
  if (state() !== L.WORKER_READY)
    throw new Error(`the worker ended in state ${state()} instead of serving`);
  const finished = (control + L.JOB_FINISHED) >> 2;
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

/** Latencies in µs: { spinning, parked }, each { p50, p90 }. */
export async function measureDispatch() {
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
