/**
 * Starts worker threads on a page or in a web worker: from a blob, or from a URL if that is
 * refused.
 *
 * Invariant: a refusal never throws. Browsers report it later, by an event; the host then tries the
 * next way, and calls `onEnd` when none is left.
 */
import workerSource from '../../build/worker.js';
import type { UrlLike } from '../types';
import type { WorkerHandle, WorkerHost } from './worker-host-types';

/**
 * The blob's URL, created once per page and never revoked: some browsers fetch it after the Worker
 * constructor has returned.
 */
let blobUrl = '';

const fromBlob = (): Worker => {
  blobUrl ||= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  return new Worker(blobUrl, { name: 'adal' });
};

/**
 * Starts a worker from the package's file. Bundlers recognise this form and ship the file; without
 * a bundler it lies beside the package's entries.
 */
const fromPackage = (): Worker =>
  new Worker(new URL('../worker.js', import.meta.url), { name: 'adal' });

/**
 * Creates the worker host of browsers.
 * @param workerUrl the address at which the page serves `adal-wasm/worker.js`
 */
export function createBrowserWorkerHost(workerUrl?: string | UrlLike): WorkerHost {
  const fromUrl =
    workerUrl === undefined
      ? fromPackage
      : () => new Worker(workerUrl as string | URL, { name: 'adal' });
  return { spawn: (input, onEnd) => startFirst([fromBlob, fromUrl], input, onEnd) };
}

/** Starts a worker in the first of several ways that the browser does not refuse. */
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
        // The worker's script catches its own errors: this event means that the script was not
        // allowed, not found or not readable.
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
