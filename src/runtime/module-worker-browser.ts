/** The trainer's worker as pages and their workers start it: a module by URL. */
import type { StartTrainer } from './module-worker';

export const startTrainer: StartTrainer = ({ onMessage, onEnd }, workerUrl) => {
  // Bundlers know the second form, and ship the file; without one it lies beside the package's
  // entries.
  const worker = workerUrl
    ? new Worker(workerUrl, { type: 'module', name: 'adal-train' })
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
