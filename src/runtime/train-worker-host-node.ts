/** Starts the worker of `trainInWorker` by node:worker_threads, which Node, Deno and Bun have. */
import { builtin } from './features';
import type { StartTrainer } from './train-worker-host-types';

export const startTrainer: StartTrainer = ({ onMessage, onEnd }, workerUrl) => {
  const { Worker } = builtin<typeof import('node:worker_threads')>('node:worker_threads')!;
  // Node takes a string for a path, and accepts URLs only as objects.
  const isFileUrl = typeof workerUrl === 'string' && workerUrl.startsWith('file:');
  const given = isFileUrl ? new URL(workerUrl) : (workerUrl as string | URL | undefined);
  // Bundlers for servers recognise `new URL(…, import.meta.url)` and ship the file.
  const worker = new Worker(given ?? new URL('../train-worker.js', import.meta.url), {
    execArgv: [],
    name: 'adal-train',
  });
  worker.on('message', onMessage);
  worker.on('error', (error) => onEnd(String(error)));
  worker.on('exit', (code) => onEnd(`exit code ${code}`));
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    terminate: () => void worker.terminate(),
  };
};
