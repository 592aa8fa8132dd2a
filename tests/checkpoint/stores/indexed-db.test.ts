/** The IndexedDB store on fake-indexeddb. */
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { expect, test, vi } from 'vitest';
import { indexedDbStore } from '../../../src/checkpoint';
import { ArgumentError, UnsupportedError } from '../../../src/errors';
import { content, contract, expectSameBytes } from './contract';

contract(() => {
  const indexedDB = new IDBFactory();
  return () => indexedDbStore('app', 'model', { indexedDB });
});

test('keeps several checkpoints in one database', async () => {
  const indexedDB = new IDBFactory();
  await indexedDbStore('app', 'a', { indexedDB }).save(content(10, 1));
  await indexedDbStore('app', 'b', { indexedDB }).save(content(10, 2));
  expectSameBytes((await indexedDbStore('app', 'a', { indexedDB }).load())!.bytes, content(10, 1));
  expect(await indexedDbStore('app', 'c', { indexedDB }).load()).toBeNull();
});

test.each([
  [
    'thrown by the request',
    () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  ],
  [
    'that ends the transaction',
    function (this: IDBObjectStore) {
      const { transaction } = this as unknown as { transaction: { _abort(name: string): void } };
      transaction._abort('QuotaExceededError');
    },
  ],
])('no room is a named error, %s, and the checkpoint stays', async (_, put) => {
  const indexedDB = new IDBFactory();
  const store = indexedDbStore('app', 'model', { indexedDB });
  const { version } = await store.save(content(10));
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(put as never);
  const error = await store.save(content(20)).catch((reason) => reason);
  spy.mockRestore();
  expect(error).toMatchObject({
    name: 'CheckpointQuotaError',
    code: 'ERR_CHECKPOINT_QUOTA',
    reason: 'quota',
    requiredBytes: 20,
  });
  expect(await store.load()).toEqual({ bytes: content(10), version });
});

test('a damaged record is an error, not a fresh start', async () => {
  const indexedDB = new IDBFactory();
  const store = indexedDbStore('app', 'model', { indexedDB });
  await store.save(content(10));
  const put = IDBObjectStore.prototype.put;
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    record,
    key,
  ) {
    record.bytes[3] ^= 1;
    return put.call(this, record, key);
  });
  await store.save(content(10));
  spy.mockRestore();
  await expect(store.load()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'corrupt' });
});

test('stands in nobody’s way who deletes the database', async () => {
  const indexedDB = new IDBFactory();
  const store = indexedDbStore('app', 'model', { indexedDB });
  const { version } = await store.save(content(10));
  await new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase('app');
    request.onsuccess = resolve;
    request.onblocked = reject;
  });
  expect(await store.load()).toBeNull();
  // A browser that evicts data must not make a save look like the next one.
  await expect(store.save(content(20), { ifVersion: version })).rejects.toMatchObject({
    reason: 'conflict',
    actual: null,
  });
});

test('says where it cannot be used, and what the database answers', async () => {
  await expect(indexedDbStore('app').load()).rejects.toThrow(UnsupportedError);
  const refusing = {
    open: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  } as unknown as IDBFactory;
  await expect(indexedDbStore('app', 'm', { indexedDB: refusing }).load()).rejects.toMatchObject({
    reason: 'io',
    message: expect.stringContaining('denied'),
  });
  expect(() => indexedDbStore('')).toThrow(ArgumentError);
  expect(() => indexedDbStore('a', '')).toThrow(ArgumentError);
  expect(() => indexedDbStore('a', 'b', { db: 1 } as object)).toThrow(ArgumentError);
});
