/**
 * A store that keeps a checkpoint in IndexedDB, for pages, and for workers without an origin
 * private file system. The checkpoint is one record, which is compared and replaced in one
 * transaction.
 *
 * The store opens a connection for each load and save, since browsers drop idle ones.
 */
import { CheckpointError, UnsupportedError } from '../../errors';
import { checkOptions, isUint8Array } from '../../validate';
import { checksum, versionOf } from './checksum';
import {
  type CheckpointStore,
  checkName,
  checkVersion,
  createStore,
  type SaveOptions,
  type StoredCheckpoint,
} from './store';

/** The part of `IDBFactory` that the store uses. */
export interface IDBFactoryLike {
  open(name: string, version: number): unknown;
}

/** Options of `indexedDbStore`. */
export interface IndexedDbStoreOptions {
  /**
   * The factory of databases.
   * @default globalThis.indexedDB
   */
  indexedDB?: IDBFactoryLike;
}

interface StoredRecord {
  bytes: Uint8Array<ArrayBuffer>;
  sequence: number;
  checksum: string;
}

const OBJECT_STORE = 'checkpoints';

/**
 * Creates a store that keeps a checkpoint in the IndexedDB of a browser.
 *
 * Browsers may evict the data of an origin when the disk fills up, unless the page has called
 * `navigator.storage.persist()`.
 *
 * @param name name of the database, which only such stores may use
 * @param key key of the checkpoint in the database
 * @default key 'checkpoint'
 * @throws ArgumentError for an empty name or key, or an unknown option
 * @throws UnsupportedError from `load` and `save` if there is no IndexedDB
 * @example
 * const store = indexedDbStore('my-app', 'model');
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 */
export function indexedDbStore(
  name: string,
  key: string = 'checkpoint',
  options: IndexedDbStoreOptions = {},
): CheckpointStore {
  checkName('name', name);
  checkName('key', key);
  checkOptions('options', options, ['indexedDB']);
  const what = `IndexedDB "${name}", key "${key}"`;
  return createStore(
    what,
    () => withDatabase(name, options.indexedDB, (database) => read(database, key, what)),
    (copy, saveOptions) =>
      withDatabase(name, options.indexedDB, (database) =>
        replace(database, key, copy, saveOptions),
      ),
  );
}

async function withDatabase<T>(
  name: string,
  factory: IDBFactoryLike | undefined = globalThis.indexedDB,
  work: (database: IDBDatabase) => Promise<T>,
): Promise<T> {
  if (!factory) throw new UnsupportedError('this environment has no IndexedDB');
  const request = factory.open(name, 1) as IDBOpenDBRequest;
  request.onupgradeneeded = () => request.result.createObjectStore(OBJECT_STORE);
  const database = await result(request);
  // Does not block a deletion of the database.
  database.onversionchange = () => database.close();
  try {
    return await work(database);
  } finally {
    database.close();
  }
}

async function read(
  database: IDBDatabase,
  key: string,
  what: string,
): Promise<StoredCheckpoint | null> {
  const transaction = database.transaction(OBJECT_STORE, 'readonly');
  const record: StoredRecord | undefined = await result(
    transaction.objectStore(OBJECT_STORE).get(key),
  );
  if (record === undefined) return null;
  const { bytes } = record;
  const isRecord = isUint8Array(bytes) && Number.isSafeInteger(record.sequence);
  if (!isRecord || checksum(bytes) !== record.checksum) {
    throw new CheckpointError('corrupt', `${what}: the checksum does not match the saved one`);
  }
  return { bytes, version: versionIn(record) };
}

function replace(
  database: IDBDatabase,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
  { ifVersion }: SaveOptions,
): Promise<{ version: string }> {
  const transaction = database.transaction(OBJECT_STORE, 'readwrite', { durability: 'strict' });
  const objects = transaction.objectStore(OBJECT_STORE);
  return new Promise((resolve, reject) => {
    const record: StoredRecord = { bytes, sequence: 1, checksum: checksum(bytes) };
    let refusal: unknown = null;
    const reading = objects.get(key);
    reading.onsuccess = () => {
      try {
        const old: StoredRecord | undefined = reading.result;
        checkVersion(ifVersion, old ? versionIn(old) : null);
        const last = old?.sequence;
        record.sequence = Number.isSafeInteger(last) ? last! + 1 : 1;
        objects.put(record, key);
      } catch (error) {
        refusal = error;
        transaction.abort();
      }
    };
    // The record is stored only now: a request may succeed and its transaction fail.
    transaction.oncomplete = () => resolve({ version: versionIn(record) });
    transaction.onabort = () => reject(refusal ?? transaction.error);
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function versionIn({ sequence, checksum }: StoredRecord): string {
  return versionOf(sequence, checksum);
}
