/** The Durable Object store on a fake that has the platform's limits and transactions. */
import { describe, expect, test } from 'vitest';
import {
  type DurableObjectStorageLike,
  type DurableObjectTransactionLike,
  durableObjectStore,
} from '../../../src/checkpoint';
import { ArgumentError } from '../../../src/errors';
import { content, contract, expectSameBytes } from './contract';
import { Crash, clonedBytes, Fuse, pause } from './fakes';

const KIB = 1024;

/**
 * At most 128 keys a call; transactions see a snapshot, commit at once, and run again when another
 * came first.
 */
class FakeStorage implements DurableObjectStorageLike {
  entries = new Map<string, unknown>();
  fuse = new Fuse();
  /** @param valueBytes the limit: 128 KiB of key-value storage, 2 MB (key included) of SQLite */
  constructor(readonly valueBytes = 128 * KIB) {}

  async transaction<T>(
    closure: (transaction: DurableObjectTransactionLike) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const snapshot = this.entries;
      const own = new Map(snapshot);
      const result = await closure(this.#over(own));
      await pause();
      this.fuse.burn();
      if (this.entries !== snapshot) continue;
      this.entries = own;
      return result;
    }
  }

  #over(entries: Map<string, unknown>): DurableObjectTransactionLike {
    const called = async (keys: string[]) => {
      await pause();
      this.fuse.burn();
      if (keys.length > 128) throw new RangeError(`${keys.length} keys`);
      if (keys.some((key) => key.length > 2048)) throw new RangeError('a long key');
    };
    const get = async (keys: string | string[]) => {
      await called([keys].flat());
      if (typeof keys === 'string') return structuredClone(entries.get(keys));
      return new Map(
        keys
          .filter((key) => entries.has(key))
          .map((key) => [key, structuredClone(entries.get(key))]),
      );
    };
    return {
      get: get as DurableObjectTransactionLike['get'],
      put: async (added) => {
        await called(Object.keys(added));
        for (const [key, value] of Object.entries(added)) {
          if (clonedBytes(value) + (this.valueBytes > 128 * KIB ? key.length : 0) > this.valueBytes)
            throw new RangeError('a large value');
          entries.set(key, structuredClone(value));
        }
      },
      delete: async (keys) => {
        await called(keys);
        return keys.filter((key) => entries.delete(key)).length;
      },
    };
  }
}

contract(() => {
  const storage = new FakeStorage();
  return () => durableObjectStore(storage);
}, [124 * KIB, 124 * KIB + 1]);

describe('chunks', () => {
  test('are as many as fit the limits, and those of the last save only', async () => {
    const storage = new FakeStorage();
    const store = durableObjectStore(storage, 'm', { chunkBytes: 1024 });
    const large = content(300 * KIB + 5);
    await store.save(large);
    expect(storage.entries.size).toBe(1 + 301);
    expectSameBytes((await store.load())!.bytes, large);
    await store.save(content(10));
    expect([...storage.entries.keys()]).toEqual(['m', 'm/2/0']);
  });

  test('of 2 MB fit SQLite storage', async () => {
    const storage = new FakeStorage(2_097_152);
    const store = durableObjectStore(storage, 'm', { chunkBytes: 2_000_000 });
    await store.save(content(4_500_000));
    expect(storage.entries.size).toBe(4);
    expectSameBytes((await store.load())!.bytes, content(4_500_000));
  });

  test.each([['m/1/1'], ['m']])('%s damaged is an error, not a fresh start', async (key) => {
    const storage = new FakeStorage();
    const store = durableObjectStore(storage, 'm', { chunkBytes: 1024 });
    await store.save(content(3000));
    for (const damaged of [undefined, 7, new Uint8Array(1024)]) {
      if (key === 'm' && damaged === undefined) continue;
      storage.entries.set(key, damaged);
      await expect(store.load()).rejects.toMatchObject({
        code: 'ERR_CHECKPOINT',
        reason: 'corrupt',
      });
    }
  });

  test('that a manifest claims without end are asked for once', async () => {
    const storage = new FakeStorage();
    const store = durableObjectStore(storage, 'm', { chunkBytes: 1024 });
    await store.save(content(3000));
    const manifest = storage.entries.get('m') as object;
    storage.entries.set('m', { ...manifest, chunkCount: 2 ** 50, length: 2 ** 50 });
    await expect(store.load()).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringContaining('chunk 3 of 1125899906842624 is missing'),
    });
    await store.save(content(10));
    expectSameBytes((await store.load())!.bytes, content(10));
    for (const wrong of [{ chunkCount: 4, length: 3 }, { sequence: 'x' }, { sequence: -1 }]) {
      storage.entries.set('m', { ...manifest, ...wrong });
      await expect(store.load()).rejects.toMatchObject({ reason: 'corrupt' });
    }
  });

  test('have keys of their own by store', async () => {
    const storage = new FakeStorage();
    await durableObjectStore(storage, 'a').save(content(10, 1));
    await durableObjectStore(storage, 'b').save(content(10, 2));
    expect((await durableObjectStore(storage, 'a').load())!.bytes).toEqual(content(10, 1));
  });
});

test('a crash at any call leaves the old checkpoint or the new one', async () => {
  for (let at = 1; ; at++) {
    const storage = new FakeStorage();
    await durableObjectStore(storage, 'm', { chunkBytes: 1024 }).save(content(200 * KIB, 1));
    storage.fuse = new Fuse(at);
    const saving = durableObjectStore(storage, 'm', { chunkBytes: 1024 }).save(
      content(150 * KIB, 2),
    );
    const error = await saving.then(
      () => null,
      (reason) => reason,
    );
    if (error) expect(error).toMatchObject({ reason: 'io', cause: expect.any(Crash) });
    storage.fuse = new Fuse();
    expectSameBytes(
      (await durableObjectStore(storage, 'm').load())!.bytes,
      error ? content(200 * KIB, 1) : content(150 * KIB, 2),
    );
    if (!error) {
      expect(at).toBeGreaterThan(5);
      break;
    }
    expect(at).toBeLessThan(100);
  }
});

test('refuses wrong arguments', () => {
  const storage = new FakeStorage();
  expect(() => durableObjectStore({} as FakeStorage)).toThrow(ArgumentError);
  expect(() => durableObjectStore(storage, '')).toThrow(ArgumentError);
  expect(() => durableObjectStore(storage, 'a', { chunkBytes: 100 })).toThrow(
    /"options\.chunkBytes" expected an integer in/,
  );
  expect(() => durableObjectStore(storage, 'a', { chunk: 1 } as object)).toThrow(ArgumentError);
});
