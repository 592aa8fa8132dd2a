/** Finds the worker host of this platform. A new platform adds a host file and a line here. */
import { UnsupportedError } from '../errors';
import type { UrlLike } from '../types';
import { workerHostKind } from './features';
import type { WorkerHost } from './worker-host-types';

/**
 * Loads this platform's worker host.
 * @param workerUrl where a page serves `adal-wasm/worker.js`, if it may not start workers from a
 * blob
 * @throws UnsupportedError where the platform cannot start threads
 */
export async function loadWorkerHost(workerUrl?: string | UrlLike): Promise<WorkerHost> {
  const kind = workerHostKind();
  if (kind === 'node') return (await import('./worker-host-node')).nodeWorkerHost;
  if (kind === 'browser')
    return (await import('./worker-host-browser')).createBrowserWorkerHost(workerUrl);
  throw new UnsupportedError('no worker host for this runtime');
}
