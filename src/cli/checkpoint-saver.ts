/** Saves checkpoints while a run goes on: now and then, one at a time, and at its end. */
import { join } from 'node:path';
import type { StateDict } from '../index';
import type { TrainPosition } from '../nn';
import { CHECKPOINT_FILE, saveTrainCheckpoint, type TrainCheckpoint } from './checkpoint-file';

/** At most so much work is lost with the process. */
const SAVE_MS = 10_000;

export class CheckpointSaver {
  readonly #context: Pick<TrainCheckpoint, 'path' | 'settings' | 'dataHash'>;
  #savedAt = performance.now();
  /** Why the last save failed; null if it did not. */
  #failure: unknown = null;

  constructor(folder: string, context: Pick<TrainCheckpoint, 'settings' | 'dataHash'>) {
    this.#context = { ...context, path: join(folder, CHECKPOINT_FILE) };
  }

  /** Saves if it is time to. A save that fails does not end the run: the next may do, and the last one must. */
  async saveNowAndThen(position: TrainPosition, stateDict: () => StateDict): Promise<void> {
    if (performance.now() - this.#savedAt < SAVE_MS) return;
    try {
      await this.save(position, stateDict());
    } catch (error) {
      if (this.#failure === null) console.error(`\nadal: warning: no checkpoint could be saved: ${(error as Error).message}`);
      this.#failure = error;
    }
    this.#savedAt = performance.now();
  }

  async save(position: TrainPosition, stateDict: StateDict): Promise<void> {
    await saveTrainCheckpoint({ ...this.#context, position, stateDict });
    this.#failure = null;
  }
}
