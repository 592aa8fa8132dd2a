/** Finds how this platform starts the worker of `trainInWorker`. */
import { UnsupportedError } from '../errors';
import { workerHostKind } from './features';
import type { StartTrainer } from './train-worker-host-types';

/**
 * Loads the function that starts the worker of `trainInWorker` on this platform.
 * @throws UnsupportedError where the platform has no workers
 */
export async function loadTrainerStarter(): Promise<StartTrainer> {
  const kind = workerHostKind();
  if (kind === 'node') return (await import('./train-worker-host-node')).startTrainer;
  if (kind === 'browser') return (await import('./train-worker-host-browser')).startTrainer;
  throw new UnsupportedError('no workers here: use fit, which yields to the event loop');
}
