/** The way back from a worker that `module-worker.ts` started. */
import { builtin } from './features';

export interface ParentPort {
  /** Sends a message; the buffers in `transfer` move with it. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  listen(onMessage: (message: unknown) => void): void;
}

/** The port to whoever started this worker. */
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
