/**
 * The trainer's worker, but it dies while training: with the arguments `exit 5` at its fifth
 * progress report.
 */
import { parentPort } from 'node:worker_threads';

const [by, after] = process.argv.slice(2);
const DEATHS = {
  exit: () => process.exit(7),
  error: () =>
    setImmediate(() => {
      throw new Error('out of order');
    }),
  silence: () => {
    for (;;);
  },
};

const post = parentPort.postMessage.bind(parentPort);
let left = Number(after);
parentPort.postMessage = (message, transfer) => {
  post(message, transfer);
  if (message.type === 'progress' && --left === 0) DEATHS[by]();
};
await import('../../dist/train-worker.js');
