/**
 * A worker that runs one of the library's modules and is spoken to by messages, and how it is
 * started on this platform.
 */
import { UnsupportedError } from '../errors';
import { workerHostKind } from './features';

/** A started worker. */
export interface ModuleWorker {
  /** Sends a message; the buffers in `transfer` move with it. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  terminate(): void;
}

export interface ModuleWorkerEvents {
  onMessage(message: unknown): void;
  /** Called with a reason when the worker has ended by itself, or could not be started. */
  onEnd(reason: string): void;
}

/** Starts the trainer's worker. */
export type StartTrainer = (events: ModuleWorkerEvents, workerUrl?: string | URL) => ModuleWorker;

/**
 * How this platform starts the trainer's worker.
 * @throws UnsupportedError where there are no workers
 */
export async function loadTrainerStarter(): Promise<StartTrainer> {
  const kind = workerHostKind();
  if (kind === 'node') return (await import('./module-worker-node')).startTrainer;
  if (kind === 'browser') return (await import('./module-worker-browser')).startTrainer;
  throw new UnsupportedError('no workers here: use fit, which yields to the event loop');
}
