/** Messages between a worker that `train-worker-host.ts` started and the thread that started it. */
import { builtin } from './features';

/** The worker's end of the channel. */
export interface ParentPort {
  /** Sends a message and transfers the buffers in `transfer` with it. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Calls `onMessage` with every message that arrives. */
  listen(onMessage: (message: unknown) => void): void;
}

/** Opens the channel to the thread that started this worker. */
export function openParentPort(): ParentPort {
  const { parentPort } = builtin<typeof import('node:worker_threads')>('node:worker_threads') ?? {};
  if (parentPort) {
    return {
      post: (message, transfer) => parentPort.postMessage(message, [...transfer]),
      listen: (onMessage) => void parentPort.on('message', onMessage),
    };
  }
  return {
    post: (message, transfer) => self.postMessage(message, { transfer: [...transfer] }),
    listen: (onMessage) => self.addEventListener('message', ({ data }) => onMessage(data)),
  };
}
