/**
 * A checkpoint in IndexedDB, for pages, and for workers where there is no origin-private file
 * system. One record, compared and replaced in one transaction, which the browser keeps whole or
 * not at all.
 *
 * The connection is opened for each load and save: browsers drop idle ones.
 */
import { CheckpointError, UnsupportedError } from '../../errors';
import { checkOptions, isUint8Array } from '../../validate';
import { checksum, versionOf } from './checksum';
import {
  type CheckpointStore,
  checkName,
  checkVersion,
  prepareSave,
  type SaveOptions,
  type StoredCheckpoint,
  storageError,
} from './store';

/** What is needed of an `IDBFactory`. */
export interface IDBFactoryLike {
  open(name: string, version: number): unknown;
}

/** Options of `indexedDbStore`. */
export interface IndexedDbStoreOptions {
  /**
   * The databases.
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
 * Keeps a checkpoint in a browser's IndexedDB.
 *
 * Browsers may evict an origin's data when the disk fills up, unless the page has called
 * `navigator.storage.persist()`.
 *
 * @param name of the database, which is the stores' alone
 * @param key of the checkpoint in it
 * @default key 'checkpoint'
 * @throws ArgumentError for an empty name or key, or an unknown option
 * @throws UnsupportedError from `load` and `save` where there is no IndexedDB
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
  return {
    async load() {
      try {
        return await withDatabase(name, options.indexedDB, (database) => read(database, key, what));
      } catch (error) {
        throw storageError(what, error);
      }
    },
    async save(bytes, saveOptions = {}) {
      const copy = prepareSave(bytes, saveOptions);
      try {
        return await withDatabase(name, options.indexedDB, (database) =>
          replace(database, key, copy, saveOptions),
        );
      } catch (error) {
        throw storageError(what, error, copy.length);
      }
    },
  };
}

async function withDatabase<T>(
  name: string,
  factory: IDBFactoryLike | undefined = globalThis.indexedDB,
  work: (database: IDBDatabase) => Promise<T>,
): Promise<T> {
  if (!factory) throw new UnsupportedError('there is no IndexedDB here');
  const request = factory.open(name, 1) as IDBOpenDBRequest;
  request.onupgradeneeded = () => request.result.createObjectStore(OBJECT_STORE);
  const database = await result(request);
  // Does not stand in the way of who deletes the database.
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
    throw new CheckpointError(
      'corrupt',
      `${what}: the bytes do not have the checksum they were saved with`,
    );
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
    // Only then is it stored: a request may succeed and its transaction fail.
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
