/** How a thread is started on this platform. A new platform adds a host here, and nothing else changes. */
import workerSource from '../../build/worker.js';
import { UnsupportedError } from '../errors';
import { builtin } from './features';
import type { WorkerInput } from './worker';

/** One started thread. */
export interface WorkerHandle {
  /** Keeps the process alive while this worker is at work. */
  ref(): void;
  /** Lets the process end although this worker waits. */
  unref(): void;
  terminate(): void;
}

/** Starts threads. */
export interface WorkerHost {
  /** @param onEnd called with a reason when the thread ends, for whatever cause, if this thread's event loop still turns */
  spawn(input: WorkerInput, onEnd: (reason: string) => void): WorkerHandle;
}

/** node:worker_threads, which Node, Deno and Bun have. */
export const nodeWorkerHost: WorkerHost = {
  spawn(input, onEnd) {
    const threads = builtin<typeof import('node:worker_threads')>('node:worker_threads');
    if (!threads) throw new UnsupportedError('no worker host for this runtime');
    const worker = new threads.Worker(workerSource, { eval: true, execArgv: [], workerData: input, name: 'adal' });
    // Listeners first: adding one refs the worker again.
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
