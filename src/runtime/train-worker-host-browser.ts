/** Starts the worker of `trainInWorker` on a page or in a web worker: a module by URL. */
import type { StartTrainer } from './train-worker-host-types';

export const startTrainer: StartTrainer = ({ onMessage, onEnd }, workerUrl) => {
  // Bundlers recognise the second form and ship the file. Without a bundler the file lies beside
  // the package's entries.
  const worker = workerUrl
    ? new Worker(workerUrl as string | URL, { type: 'module', name: 'adal-train' })
    : new Worker(new URL('../train-worker.js', import.meta.url), {
        type: 'module',
        name: 'adal-train',
      });
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onEnd(event.message || 'its script was refused or not found');
  };
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    terminate: () => worker.terminate(),
  };
};
