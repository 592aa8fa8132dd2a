/** The trainer's worker by node:worker_threads, which Node, Deno and Bun have. */
import { builtin } from './features';
import type { StartTrainer } from './module-worker';

export const startTrainer: StartTrainer = ({ onMessage, onEnd }, workerUrl) => {
  const { Worker } = builtin<typeof import('node:worker_threads')>('node:worker_threads')!;
  // Node takes URLs as objects only. Bundlers for servers know the second form, and ship the file.
  const given =
    typeof workerUrl === 'string' && workerUrl.startsWith('file:') ? new URL(workerUrl) : workerUrl;
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
