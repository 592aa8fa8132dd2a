/**
 * Threads of a page or of its web workers: from a blob, else from a URL.
 *
 * Invariant: a refusal is never thrown. Browsers report it late, by an event: so the next way is
 * tried when one is refused, and `onEnd` hears of it when none is left.
 */
import workerSource from '../../build/worker.js';
import type { WorkerHandle, WorkerHost } from './worker-host';

/** Made once a page and kept: some browsers fetch it after the constructor has returned. */
let blobUrl = '';

const fromBlob = (): Worker => {
  blobUrl ||= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  return new Worker(blobUrl, { name: 'adal' });
};

/** Bundlers know this form, and ship the file; without one it lies beside the package's entries. */
const fromPackage = (): Worker =>
  new Worker(new URL('../worker.js', import.meta.url), { name: 'adal' });

/** @param workerUrl of the package's worker.js, where the page serves it */
export function createBrowserWorkerHost(workerUrl?: string | URL): WorkerHost {
  const fromUrl =
    workerUrl === undefined ? fromPackage : () => new Worker(workerUrl, { name: 'adal' });
  return { spawn: (input, onEnd) => startFirst([fromBlob, fromUrl], input, onEnd) };
}

/** Starts a worker in the first way that is not refused. */
function startFirst(
  ways: (() => Worker)[],
  input: unknown,
  onEnd: (reason: string) => void,
): WorkerHandle {
  let worker: Worker | null = null;
  let refusal = '';
  const startNext = (): void => {
    const start = ways.shift();
    if (!start) {
      onEnd(refusal);
      return;
    }
    try {
      worker = start();
      worker.onerror = (event) => {
        event.preventDefault();
        // The worker's own script catches what it throws: an event means that it was not allowed,
        // not found or not readable.
        refuse(event.message || 'its script was refused or not found');
      };
      worker.postMessage(input);
    } catch (error) {
      refuse(String(error));
    }
  };
  const refuse = (reason: string): void => {
    worker?.terminate();
    worker = null;
    refusal = refusal ? `${refusal}; then ${reason}` : reason;
    startNext();
  };
  const terminate = (): void => {
    ways.length = 0;
    worker?.terminate();
  };
  startNext();
  return { ref() {}, unref() {}, terminate };
}
