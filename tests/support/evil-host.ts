/**
 * Worker hosts whose workers misbehave. They run the library's own worker source, with `stepServe` replaced by a fault: so what is
 * tested is how a failing kernel, a dying thread and a stuck one are noticed, not a mock of them.
 */
import { Worker } from 'node:worker_threads';
import workerSource from '../../build/worker.js';
import * as L from '../../src/abi/layout';
import type { WorkerHandle, WorkerHost } from '../../src/runtime/worker-host';

/** What a worker does once it has drawn a task: */
export type Fault =
  | 'exit' // ends its thread
  | 'throw' // throws an Error
  | 'trap' // traps in WASM
  | 'hang'; // waits for ever

/** When it does it. 'idle': at once, without a task. */
export type Moment = 'norm' | 'update' | 'idle';

const OPS = { norm: L.OP_NORM, update: L.OP_UPDATE, idle: L.OP_NONE };

/** Runs in the worker, before its source: serves nothing, and draws one task of the phase wanted by compare-exchange. */
function prelude(fault: Fault, moment: Moment): string {
  return `{
    const Real = WebAssembly.Instance;
    WebAssembly.Instance = function (module, imports) {
      const { exports } = new Real(module, imports);
      return { exports: { ...exports, stepServe(control) { serve(exports, control, imports.env.memory); } } };
    };
    const fail = (exports) => {
      if ('${fault}' === 'exit') process.exit(3);
      if ('${fault}' === 'throw') throw new Error('a fault of its own');
      if ('${fault}' === 'trap') exports.step(0xfffffff0);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    const serve = (exports, control, memory) => {
      const words = new Int32Array(memory.buffer);
      const longs = new BigUint64Array(memory.buffer);
      while ('${moment}' !== 'idle') {
        const ticket = Atomics.load(longs, (control + ${L.JOB_TICKET}) / 8);
        const limit = Atomics.load(longs, (control + ${L.JOB_LIMIT}) / 8);
        const op = Atomics.load(words, (control + ${L.JOB_OP}) / 4);
        if (Atomics.load(words, (control + ${L.JOB_STOP}) / 4)) return;
        if (ticket >> 32n !== limit >> 32n || ticket >= limit || op !== ${OPS[moment]}) continue;
        // The ticket carries its job's generation: a success means that op was this job's.
        if (Atomics.compareExchange(longs, (control + ${L.JOB_TICKET}) / 8, ticket, ticket + 1n) === ticket) break;
      }
      fail(exports);
    };
  }\n`;
}

function spawn(source: string, workerData: unknown, onEnd: (reason: string) => void): WorkerHandle & { readonly worker: Worker } {
  const worker = new Worker(source, { eval: true, execArgv: [], workerData });
  worker.on('error', (error) => onEnd(String(error)));
  worker.on('exit', (code) => onEnd(`exit code ${code}`));
  worker.unref();
  return { worker, ref: () => worker.ref(), unref: () => worker.unref(), terminate: () => void worker.terminate() };
}

/** Every worker of this host has the fault; or, given `only`, the one of that index. */
export function faultyHost(fault: Fault, moment: Moment, only?: number): WorkerHost {
  let index = 0;
  return {
    spawn(input, onEnd) {
      const source = only === undefined || index === only ? prelude(fault, moment) + workerSource : workerSource;
      index++;
      return spawn(source, input, onEnd);
    },
  };
}

/** Workers that run `source` instead of the library's. */
export function sourceHost(source: string): WorkerHost {
  return { spawn: (input, onEnd) => spawn(source, input, onEnd) };
}

/** Sound workers that the test can kill. */
export function killableHost(): WorkerHost & { kill(): Promise<void> } {
  const workers: Worker[] = [];
  return {
    spawn(input, onEnd) {
      const handle = spawn(workerSource, input, onEnd);
      workers.push(handle.worker);
      return handle;
    },
    async kill() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Counts what becomes of the workers of another host. */
export function countingHost(host: WorkerHost): WorkerHost & { spawned: number; terminated: number; referenced: number } {
  return {
    spawned: 0,
    terminated: 0,
    referenced: 0,
    spawn(input, onEnd) {
      this.spawned++;
      const handle = host.spawn(input, onEnd);
      let held = false;
      const hold = (wanted: boolean) => {
        if (held !== wanted) this.referenced += wanted ? 1 : -1;
        held = wanted;
      };
      return {
        ref: () => {
          hold(true);
          handle.ref();
        },
        unref: () => {
          hold(false);
          handle.unref();
        },
        terminate: () => {
          this.terminated++;
          handle.terminate();
        },
      };
    },
  };
}
