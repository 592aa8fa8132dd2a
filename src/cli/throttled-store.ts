/**
 * A checkpoint store that writes at most once per second, however often it is asked to save.
 *
 * Invariant: after `flush`, the target holds the last checkpoint that was saved.
 */
import type { CheckpointStore, SaveOptions, StoredCheckpoint } from '../checkpoint';
import { reasonOf } from './errors';
import { tell } from './output';
import { printable } from './printable';

/** The least time between two writes; at most this much work is lost if the process is killed. */
const PAUSE_MS = 1000;
/** The largest share of time spent on writing. */
const WRITING_SHARE = 0.05;

/** Wraps a store and delays its writes. */
export class ThrottledStore implements CheckpointStore {
  readonly #target: CheckpointStore;
  readonly #path: string;
  readonly #initial: StoredCheckpoint | null;
  /** Checkpoint that is saved but not written yet. */
  #held: Uint8Array | null = null;
  /** 0 at first: the first checkpoint is written at once, to detect an unwritable path early. */
  #dueAt = 0;
  #failing = false;

  /**
   * @param path path of the checkpoint, for messages
   * @param initial checkpoint that `load` returns; a run may resume from another file
   */
  constructor(target: CheckpointStore, path: string, initial: Uint8Array<ArrayBuffer> | null) {
    this.#target = target;
    this.#path = path;
    this.#initial = initial && { bytes: initial, version: '' };
  }

  async load(): Promise<StoredCheckpoint | null> {
    return this.#initial;
  }

  /**
   * Saves a checkpoint. A failed write does not end the run: a later one may succeed, and the
   * results are written in any case.
   */
  async save(bytes: Uint8Array, _options?: SaveOptions): Promise<{ version: string }> {
    this.#held = bytes;
    if (performance.now() >= this.#dueAt) {
      try {
        await this.flush();
        if (this.#failing) tell(`\nadal: note: ${printable(this.#path)} can be written again`);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing)
          tell(`\nadal: warning: ${printable(describeFailure(this.#path, error))}`);
        this.#failing = true;
      }
    }
    return { version: '' };
  }

  /** Writes the last saved checkpoint. @throws CheckpointError if that fails */
  async flush(): Promise<void> {
    if (!this.#held) return;
    const begin = performance.now();
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      await this.#target.save(this.#held);
      this.#held = null;
    } finally {
      const end = performance.now();
      this.#dueAt = end + Math.max(PAUSE_MS, (end - begin) / WRITING_SHARE);
    }
  }
}

/** Describes a failed write; the run goes on, but its user should know. */
function describeFailure(path: string, error: unknown): string {
  const reason = reasonOf((error as Error).cause ?? error);
  return (
    `cannot write the checkpoint ${path} (${reason}): training continues and tries again, but ` +
    'until then the run cannot be resumed if it is killed'
  );
}
