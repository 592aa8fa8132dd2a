/** A store in memory, for tests and examples. It lasts as long as the process. */
import { checksum, versionOf } from './checksum';
import { type CheckpointStore, checkVersion, prepareSave, type StoredCheckpoint } from './store';

/**
 * Creates a store that keeps a checkpoint in memory.
 *
 * @example
 * const store = memoryStore();
 * const { version } = await store.save(encodeCheckpoint(optimizer.stateDict()));
 * optimizer.step();
 * await store.save(encodeCheckpoint(optimizer.stateDict()), { ifVersion: version });
 */
export function memoryStore(): CheckpointStore {
  let stored: StoredCheckpoint | null = null;
  let sequence = 0;
  return {
    async load() {
      return stored && { bytes: stored.bytes.slice(), version: stored.version };
    },
    async save(bytes, options = {}) {
      const copy = prepareSave(bytes, options);
      checkVersion(options.ifVersion, stored?.version ?? null);
      stored = { bytes: copy, version: versionOf(++sequence, checksum(copy)) };
      return { version: stored.version };
    },
  };
}
