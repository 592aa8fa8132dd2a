/**
 * How a thread is started on this platform. A new platform adds a host, `loadWorkerHost` finds it,
 * and nothing else changes.
 */
import { UnsupportedError } from '../errors';
import { workerHostKind } from './features';
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
  /**
   * @param onEnd called with a reason when the thread ends, for whatever cause, if this thread's
   * event loop still turns
   */
  spawn(input: WorkerInput, onEnd: (reason: string) => void): WorkerHandle;
}

/**
 * This platform's host, loaded when it is first needed.
 * @param workerUrl where a page finds the worker's script, if it may not start one from a blob
 * @throws UnsupportedError where there is none
 */
export async function loadWorkerHost(workerUrl?: string | URL): Promise<WorkerHost> {
  const kind = workerHostKind();
  if (kind === 'node') return (await import('./worker-host-node')).nodeWorkerHost;
  if (kind === 'browser')
    return (await import('./worker-host-browser')).createBrowserWorkerHost(workerUrl);
  throw new UnsupportedError('no worker host for this runtime');
}
