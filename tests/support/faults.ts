/**
 * Faults for workers: source that, put before the library's own worker source, replaces `stepServe`
 * by a fault. So what is tested is how a failing kernel, a dying thread and a stuck one are
 * noticed, not a mock of them.
 */
import { JobRecord } from '../../build/optim-records';
import * as L from '../../src/memory-layout/constants';

/** What a worker does once it has drawn a task: */
export type Fault =
  | 'exit' // ends its thread
  | 'throw' // throws an Error
  | 'trap' // traps in WASM
  | 'hang'; // waits for ever

/** When it does it. 'idle': at once, without a task. */
export type Moment = 'norm' | 'update' | 'idle';

/** Indices within a JobRecord: words and longs from its beginning. */
const job = new JobRecord({} as never);

const OPS = { norm: L.OP_NORM, update: L.OP_UPDATE, idle: L.OP_NONE };

/**
 * Runs in the worker, before its source: serves nothing, and draws one task of the phase wanted by
 * compare-exchange.
 */
export function prelude(fault: Fault, moment: Moment): string {
  return `{
    const Real = WebAssembly.Instance;
    WebAssembly.Instance = function (module, imports) {
      const { exports } = new Real(module, imports);
      const stepServe = (control) => serve(exports, control, imports.env.memory);
      return { exports: { ...exports, stepServe } };
    };
    const fail = (exports) => {
      if ('${fault}' === 'exit') process.exit(3); // where there are processes
      if ('${fault}' === 'throw') throw new Error('a fault of its own');
      if ('${fault}' === 'trap') exports.step(0xfffffff0);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    const serve = (exports, control, memory) => {
      const words = new Int32Array(memory.buffer);
      const longs = new BigUint64Array(memory.buffer);
      while ('${moment}' !== 'idle') {
        const ticket = Atomics.load(longs, control / 8 + ${job.ticketIndex});
        const limit = Atomics.load(longs, control / 8 + ${job.limitIndex});
        const op = Atomics.load(words, control / 4 + ${job.opIndex});
        if (Atomics.load(words, control / 4 + ${job.stopIndex})) return;
        if (ticket >> 32n !== limit >> 32n || ticket >= limit || op !== ${OPS[moment]}) continue;
        // The ticket carries its job's generation: a success means that op was this job's.
        const at = control / 8 + ${job.ticketIndex};
        if (Atomics.compareExchange(longs, at, ticket, ticket + 1n) === ticket) break;
      }
      fail(exports);
    };
  }\n`;
}
