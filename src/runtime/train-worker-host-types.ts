/** The contract between `trainInWorker` and whatever starts its worker on a platform. */
import type { UrlLike } from '../types';

/** A started worker that runs one of the library's modules and exchanges messages with us. */
export interface ModuleWorker {
  /** Sends a message and transfers the buffers in `transfer` with it. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Ends the worker, whatever it is doing. */
  terminate(): void;
}

/** The callbacks of a started worker. */
export interface ModuleWorkerEvents {
  /** Called with every message that the worker posts. */
  onMessage(message: unknown): void;
  /** Called with a reason when the worker has ended by itself, or could not be started. */
  onEnd(reason: string): void;
}

/** Starts the worker of `trainInWorker`. */
export type StartTrainer = (
  events: ModuleWorkerEvents,
  workerUrl?: string | UrlLike,
) => ModuleWorker;
