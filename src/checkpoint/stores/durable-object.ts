/**
 * A store that keeps a checkpoint in the storage of a Cloudflare Durable Object, split into values
 * within its size limit and replaced in one transaction.
 *
 *     key                    → manifest
 *     key/<sequence>/<index> → chunk
 *
 * Both kinds of storage work: key-value (128 KiB per value) and SQLite (2 MB). While it is saved or
 * loaded, the checkpoint is in memory twice; a Durable Object has 128 MB. (Workers KV is not
 * suitable: it is eventually consistent and accepts one write per second.)
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
  createStore,
  type SaveOptions,
} from './store';

/** The part of `DurableObjectTransaction` that the store uses. */
export interface DurableObjectTransactionLike {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<Map<string, unknown>>;
  put(entries: Record<string, unknown>): Promise<void>;
  delete(keys: string[]): Promise<number>;
}

/** The part of `DurableObjectStorage` that the store uses. */
export interface DurableObjectStorageLike {
  transaction<T>(closure: (transaction: DurableObjectTransactionLike) => Promise<T>): Promise<T>;
}

/** Options of `durableObjectStore`. */
export interface DurableObjectStoreOptions {
  /**
   * Bytes per stored value, an integer in [1024, 2000000]. Use 2000000 for SQLite-backed objects.
   * @default 126976 (124 KiB: the limit of key-value-backed objects, minus room for the encoding)
   */
  chunkBytes?: number;
}

/** The most keys per call. */
const MAX_KEYS = 128;
/** The most bytes per call, which bounds the size of requests to storage. */
const MAX_CALL_BYTES = 8 * 1024 * 1024;

type StoredManifest = Manifest & { readonly sequence: number };

/**
 * Creates a store that keeps a checkpoint in a Durable Object.
 *
 * @param storage `ctx.storage` of the object
 * @param key key of the manifest; the keys of chunks start with it and a slash
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
  return createStore(
    what,
    () => storage.transaction((transaction) => read(transaction, key, what)),
    (copy, saveOptions) =>
      storage.transaction((transaction) =>
        replace(transaction, key, what, copy, chunkBytes, saveOptions),
      ),
  );
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
    `${what}: expected the manifest of a checkpoint, got one without a sequence number`,
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
    // A damaged manifest may claim any number of chunks, so deletion stops at the first miss.
    if (count === 0) break;
  }
  return { version: versionIn(manifest) };
}
