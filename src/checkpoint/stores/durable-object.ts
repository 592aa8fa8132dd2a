/**
 * A checkpoint in a Cloudflare Durable Object's storage, cut into values that fit its limit, all
 * replaced in one transaction.
 *
 *     key                    → manifest
 *     key/<sequence>/<index> → chunk
 *
 * Both kinds of storage work: key-value (128 KiB a value) and SQLite (2 MB). The checkpoint is in
 * memory twice while it is saved or loaded: mind the object's 128 MB. (Workers KV is no place for
 * it: eventually consistent, one write a second.)
 */
import { CheckpointError } from '../../errors';
import { checkInteger, checkOptions, fail } from '../../validate';
import { versionOf } from './checksum';
import {
  batches,
  ChunkJoiner,
  indexBatches,
  type Manifest,
  manifestOf,
  readManifest,
  splitIntoChunks,
} from './chunks';
import {
  type CheckpointStore,
  checkName,
  checkVersion,
  prepareSave,
  type SaveOptions,
  storageError,
} from './store';

/** What is needed of a transaction of `DurableObjectStorage`. */
export interface DurableObjectTransactionLike {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<Map<string, unknown>>;
  put(entries: Record<string, unknown>): Promise<void>;
  delete(keys: string[]): Promise<number>;
}

/** What is needed of `DurableObjectStorage`: pass `ctx.storage`. */
export interface DurableObjectStorageLike {
  transaction<T>(closure: (transaction: DurableObjectTransactionLike) => Promise<T>): Promise<T>;
}

/** Options of `durableObjectStore`. */
export interface DurableObjectStoreOptions {
  /**
   * Bytes of a value, in [1024, 2,000,000]. SQLite-backed objects do with fewer, larger ones: up to
   * 2,000,000.
   * @default 126976 (124 KiB: the limit of key-value-backed objects, less what the encoding adds)
   */
  chunkBytes?: number;
}

/** Keys that one call takes. */
const MAX_KEYS = 128;
/** Bytes that one call takes, so that no request to storage grows large. */
const MAX_CALL_BYTES = 8 * 1024 * 1024;

type StoredManifest = Manifest & { readonly sequence: number };

/**
 * Keeps a checkpoint in a Durable Object.
 *
 * @param storage the object's `ctx.storage`
 * @param key of the manifest; chunks have keys that begin with it and a slash
 * @default key 'checkpoint'
 * @throws ArgumentError for an empty key or options out of range
 * @example
 * const store = durableObjectStore(this.ctx.storage, 'model');
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
export function durableObjectStore(
  storage: DurableObjectStorageLike,
  key: string = 'checkpoint',
  options: DurableObjectStoreOptions = {},
): CheckpointStore {
  if (typeof storage?.transaction !== 'function')
    fail('storage', "a Durable Object's storage", storage);
  checkName('key', key);
  checkOptions('options', options, ['chunkBytes']);
  const chunkBytes = checkInteger(
    'options.chunkBytes',
    options.chunkBytes ?? 124 * 1024,
    1024,
    2_000_000,
  );
  const what = `Durable Object key "${key}"`;
  return {
    async load() {
      try {
        return await storage.transaction((transaction) => read(transaction, key, what));
      } catch (error) {
        throw storageError(what, error);
      }
    },
    async save(bytes, saveOptions = {}) {
      const copy = prepareSave(bytes, saveOptions);
      try {
        return await storage.transaction((transaction) =>
          replace(transaction, key, what, copy, chunkBytes, saveOptions),
        );
      } catch (error) {
        throw storageError(what, error, copy.length);
      }
    },
  };
}

const chunkKey = (key: string, { generation }: Manifest, index: number): string =>
  `${key}/${generation}/${index}`;
const versionIn = (manifest: StoredManifest): string =>
  versionOf(manifest.sequence, manifest.checksum);

async function manifestAt(
  transaction: DurableObjectTransactionLike,
  key: string,
  what: string,
): Promise<StoredManifest | null> {
  const value = await transaction.get(key);
  if (value === undefined) return null;
  const manifest = readManifest(value, what) as StoredManifest;
  if (Number.isSafeInteger(manifest.sequence) && manifest.sequence >= 0) return manifest;
  throw new CheckpointError(
    'corrupt',
    `${what}: expected the manifest of a checkpoint, got one without its sequence`,
  );
}

async function read(transaction: DurableObjectTransactionLike, key: string, what: string) {
  const manifest = await manifestAt(transaction, key, what);
  if (!manifest) return null;
  const joiner = new ChunkJoiner(manifest, what);
  for (const batch of indexBatches(manifest.chunkCount, MAX_KEYS)) {
    const keys = batch.map((index) => chunkKey(key, manifest, index));
    const found = await transaction.get(keys);
    for (const each of keys) joiner.add(found.get(each));
  }
  return { bytes: joiner.join(), version: versionIn(manifest) };
}

async function replace(
  transaction: DurableObjectTransactionLike,
  key: string,
  what: string,
  bytes: Uint8Array,
  chunkBytes: number,
  { ifVersion }: SaveOptions,
): Promise<{ version: string }> {
  const old = await manifestAt(transaction, key, what);
  checkVersion(ifVersion, old && versionIn(old));
  const chunks = splitIntoChunks(bytes, chunkBytes);
  const sequence = (old?.sequence ?? 0) + 1;
  const manifest: StoredManifest = { ...manifestOf(bytes, `${sequence}`, chunks.length), sequence };
  const entries = chunks.map((chunk, index): [string, Uint8Array] => [
    chunkKey(key, manifest, index),
    chunk,
  ]);
  const callSize = Math.max(1, Math.min(MAX_KEYS, Math.floor(MAX_CALL_BYTES / chunkBytes)));
  for (const batch of batches(entries, callSize)) await transaction.put(Object.fromEntries(batch));
  await transaction.put({ [key]: manifest });
  for (const batch of indexBatches(old?.chunkCount ?? 0, MAX_KEYS)) {
    const count = await transaction.delete(batch.map((index) => chunkKey(key, old!, index)));
    // A damaged manifest may claim any number of chunks.
    if (count === 0) break;
  }
  return { version: versionIn(manifest) };
}
