/** The Deno KV store on a fake that has the platform's limits. */
import { serialize } from 'node:v8';
import { describe, expect, test } from 'vitest';
import {
  type DenoKvEntryLike,
  type DenoKvKeyPart,
  type DenoKvLike,
  denoKvStore,
} from '../../../src/checkpoint';
import { ArgumentError } from '../../../src/errors';
import { content, contract, expectSameBytes } from './contract';
import { Crash, clonedBytes, Fuse, pause } from './fakes';

type Key = readonly DenoKvKeyPart[];
const CHUNK = 60 * 1024;

/**
 * Ten keys a getMany; 64 KiB a value; 10 checks, 1000 mutations, 80 KiB of keys and 800 KiB in all
 * a commit.
 */
class FakeKv implements DenoKvLike {
  readonly entries = new Map<string, { key: Key; value: unknown; versionstamp: string }>();
  fuse = new Fuse();
  #commits = 0;

  async get(key: Key): Promise<DenoKvEntryLike> {
    await this.#called();
    const entry = this.entries.get(JSON.stringify(key));
    return entry
      ? { ...entry, value: structuredClone(entry.value) }
      : { key, value: null, versionstamp: null };
  }

  async getMany(keys: Key[]): Promise<DenoKvEntryLike[]> {
    if (keys.length > 10) throw new TypeError('too many keys');
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async *list({ prefix }: { prefix: Key }): AsyncGenerator<DenoKvEntryLike> {
    await this.#called();
    for (const entry of [...this.entries.values()]) {
      await pause();
      if (entry.key.length > prefix.length && prefix.every((part, i) => part === entry.key[i]))
        yield entry;
    }
  }

  atomic() {
    const checks: { key: Key; versionstamp: string | null }[] = [];
    const mutations: { key: Key; value?: unknown }[] = [];
    return {
      check: (...added: typeof checks) => void checks.push(...added),
      set: (key: Key, value: unknown) =>
        void mutations.push({ key, value: structuredClone(value) }),
      delete: (key: Key) => void mutations.push({ key }),
      commit: () => this.#commit(checks, mutations),
    };
  }

  async #commit(
    checks: { key: Key; versionstamp: string | null }[],
    mutations: { key: Key; value?: unknown }[],
  ) {
    this.#limit(checks.length, mutations);
    await this.#called();
    const current = (key: Key) => this.entries.get(JSON.stringify(key))?.versionstamp ?? null;
    if (checks.some(({ key, versionstamp }) => current(key) !== versionstamp)) return { ok: false };
    const versionstamp = (++this.#commits).toString(16).padStart(20, '0');
    for (const { key, value } of mutations) {
      if (value === undefined) this.entries.delete(JSON.stringify(key));
      else this.entries.set(JSON.stringify(key), { key, value, versionstamp });
    }
    await pause();
    return { ok: true, versionstamp };
  }

  #limit(checks: number, mutations: { key: Key; value?: unknown }[]): void {
    if (checks > 10 || mutations.length > 1000) throw new TypeError('too many checks or mutations');
    const keyBytes = mutations.map(({ key }) => JSON.stringify(key).length + 8);
    const valueBytes = mutations.map(({ value }) =>
      Math.max(serialize(value).length, clonedBytes(value ?? '')),
    );
    const sum = (numbers: number[]) => numbers.reduce((total, bytes) => total + bytes, 0);
    if (keyBytes.some((bytes) => bytes > 2048) || sum(keyBytes) > 81_920)
      throw new TypeError('large keys');
    if (valueBytes.some((bytes) => bytes > 65_536)) throw new TypeError('a large value');
    if (sum(keyBytes) + sum(valueBytes) > 819_200) throw new TypeError('a large commit');
  }

  async #called(): Promise<void> {
    await pause();
    this.fuse.burn();
  }
}

contract(() => {
  const kv = new FakeKv();
  return () => denoKvStore(kv, ['models', 7]);
}, [CHUNK, CHUNK + 1, 10 * CHUNK, 10 * CHUNK + 1]);

/** Chunks, notes of generations and the manifest. */
const entriesFor = (bytes: number): number => Math.ceil(bytes / CHUNK) + 2;

describe('chunks', () => {
  test('that a manifest or a note claims without end are asked for once', async () => {
    const kv = new FakeKv();
    const store = denoKvStore(kv, ['m']);
    await store.save(content(2 * CHUNK));
    for (const entry of kv.entries.values()) {
      if (typeof entry.value !== 'object' || !('chunkCount' in entry.value!)) continue;
      Object.assign(
        entry.value,
        { chunkCount: 2 ** 50 },
        'length' in entry.value && { length: 2 ** 50 },
      );
    }
    await expect(store.load()).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringContaining('chunk 2 of 1125899906842624 is missing'),
    });
    await store.save(content(10));
    expectSameBytes((await store.load())!.bytes, content(10));
  });

  test('are those of the last save only', async () => {
    const kv = new FakeKv();
    const store = denoKvStore(kv, ['m']);
    for (const size of [25 * CHUNK + 1, 0, 2 * CHUNK, 2 * CHUNK]) {
      await store.save(content(size));
      expect(kv.entries.size).toBe(entriesFor(size));
    }
  });

  test('of writers who lost are removed', async () => {
    const kv = new FakeKv();
    const open = () => denoKvStore(kv, ['m']);
    const saves = Array.from({ length: 20 }, (_, i) =>
      open().save(content(12 * CHUNK, i), { ifVersion: null }),
    );
    await Promise.allSettled(saves);
    expect(kv.entries.size).toBe(entriesFor(12 * CHUNK));
  });

  test('are read whole while others save', async () => {
    const kv = new FakeKv();
    const saves = Array.from({ length: 8 }, (_, i) => content(12 * CHUNK, i));
    await denoKvStore(kv, ['m']).save(saves[0]!);
    let done = false;
    const writing = (async () => {
      for (const bytes of saves) await denoKvStore(kv, ['m']).save(bytes);
      done = true;
    })();
    while (!done) {
      const { bytes } = (await denoKvStore(kv, ['m']).load())!;
      expect(saves.some((saved) => Buffer.compare(saved, bytes) === 0)).toBe(true);
    }
    await writing;
  });

  test('missing or damaged are an error, not a fresh start', async () => {
    const kv = new FakeKv();
    const store = denoKvStore(kv, ['m']);
    await store.save(content(3 * CHUNK));
    const [chunk] = [...kv.entries.values()].filter(({ key }) => key[1] === 'chunks');
    chunk!.value = new Uint8Array(CHUNK);
    await expect(store.load()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'corrupt' });
    kv.entries.delete(JSON.stringify(chunk!.key));
    await expect(store.load()).rejects.toMatchObject({
      reason: 'corrupt',
      message: expect.stringContaining('missing'),
    });
    kv.entries.get('["m"]')!.value = 'else';
    await expect(store.load()).rejects.toMatchObject({ reason: 'corrupt' });
  });
});

test('a crash at any call leaves one whole checkpoint, and the next save tidies up', async () => {
  const [old, next] = [content(23 * CHUNK, 1), content(31 * CHUNK, 2)];
  for (let at = 1; ; at++) {
    const kv = new FakeKv();
    await denoKvStore(kv, ['m']).save(old);
    kv.fuse = new Fuse(at);
    const error = await denoKvStore(kv, ['m'])
      .save(next)
      .then(
        () => null,
        (reason) => reason,
      );
    if (error) expect(error).toMatchObject({ reason: 'io', cause: expect.any(Crash) });
    const crashed = kv.fuse.calls >= at;
    kv.fuse = new Fuse();
    expectSameBytes((await denoKvStore(kv, ['m']).load())!.bytes, error ? old : next);
    await denoKvStore(kv, ['m']).save(content(5));
    expect(kv.entries.size).toBe(entriesFor(5));
    if (!crashed) break;
    expect(at).toBeLessThan(100);
  }
});

test('refuses wrong arguments', () => {
  expect(() => denoKvStore({} as DenoKvLike, ['a'])).toThrow(ArgumentError);
  expect(() => denoKvStore(new FakeKv(), [])).toThrow(ArgumentError);
});
