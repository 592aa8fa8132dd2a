/**
 * A checkpoint store that is written to at a bearable pace, however often it is told to save.
 *
 * Invariant: after `flush` the store holds what was saved last.
 */
import type { CheckpointStore, SaveOptions, StoredCheckpoint } from '../checkpoint';
import { reasonOf } from './errors';
import { tell } from './output';
import { printable } from './printable';

/** At least so long between two writes, milliseconds: so much work is lost with the process. */
const PAUSE_MS = 1000;
/** At most this part of the time goes into writing. */
const WRITING_SHARE = 0.05;

export class ThrottledStore implements CheckpointStore {
  readonly #target: CheckpointStore;
  readonly #path: string;
  readonly #initial: StoredCheckpoint | null;
  /** Saved, but not written yet. */
  #held: Uint8Array | null = null;
  /** The first is written at once, so that a place that cannot be written to is known early. */
  #dueAt = 0;
  #failing = false;

  /**
   * @param path of the checkpoint, for messages
   * @param initial what `load` gives: what a run goes on from may be another file than the one it
   * goes on to
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
   * A write that fails does not end the run: a later one may succeed, and the results are written
   * anyway.
   */
  async save(bytes: Uint8Array, _options?: SaveOptions): Promise<{ version: string }> {
    this.#held = bytes;
    if (performance.now() >= this.#dueAt) {
      try {
        await this.flush();
        if (this.#failing) tell(`\nadal: note: ${printable(this.#path)} is written again`);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing)
          tell(`\nadal: warning: ${printable(describeFailure(this.#path, error))}`);
        this.#failing = true;
      }
    }
    return { version: '' };
  }

  /** Writes what is left to write. @throws CheckpointError when that fails */
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

/** The run goes on, but nobody should wait hours for it without knowing this. */
function describeFailure(path: string, error: unknown): string {
  const reason = reasonOf((error as Error).cause ?? error);
  return (
    `no checkpoint can be written to ${path} (${reason}): training goes on and tries again,` +
    ' but until then a run that is interrupted by force cannot be resumed'
  );
}
