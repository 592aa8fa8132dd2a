/** Starts worker threads by node:worker_threads, which Node, Deno and Bun have. */
import workerSource from '../../build/worker.js';
import { UnsupportedError } from '../errors';
import { builtin } from './features';
import type { WorkerHost } from './worker-host-types';

/** The worker host of Node, Deno and Bun. */
export const nodeWorkerHost: WorkerHost = {
  spawn(input, onEnd) {
    const threads = builtin<typeof import('node:worker_threads')>('node:worker_threads');
    if (!threads) throw new UnsupportedError('no worker host for this runtime');
    const worker = new threads.Worker(workerSource, {
      eval: true,
      execArgv: [],
      workerData: input,
      name: 'adal',
    });
    // Before unref: adding a listener would ref the worker again.
    worker.on('error', (error) => onEnd(String(error)));
    worker.on('exit', (code) => onEnd(`exit code ${code}`));
    worker.unref();
    return {
      ref: () => worker.ref(),
      unref: () => worker.unref(),
      terminate: () => void worker.terminate(),
    };
  },
};
