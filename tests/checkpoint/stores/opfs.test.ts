/**
 * The OPFS store on a fake whose process can end at any call, in the middle of a write too.
 * (Browsers are not run here.)
 */
import { describe, expect, test } from 'vitest';
import {
  type FileSystemDirectoryHandleLike,
  type FileSystemSyncAccessHandleLike,
  opfsStore,
} from '../../../src/checkpoint';
import { ArgumentError, UnsupportedError } from '../../../src/errors';
import { Xorshift } from '../../support/xorshift';
import { content, contract, expectSameBytes } from './contract';
import { Crash, Fuse, pause } from './fakes';

/** What stays when a process ends. */
class Disk {
  readonly files = new Map<string, Uint8Array>();
  /** Names of the files that are open, each by one handle only. */
  readonly open = new Set<string>();
  /** Bytes that fit. */
  capacity = Number.POSITIVE_INFINITY;
}

/** A process's view of the disk. */
class FakeDirectory implements FileSystemDirectoryHandleLike {
  constructor(
    readonly disk: Disk,
    readonly fuse = new Fuse(),
    readonly random = new Xorshift(1),
  ) {}

  async getFileHandle(name: string, { create = false } = {}) {
    await pause();
    this.fuse.burn();
    if (!this.disk.files.has(name)) {
      if (!create) throw new DOMException('not found', 'NotFoundError');
      this.disk.files.set(name, new Uint8Array(0));
    }
    return { createSyncAccessHandle: () => this.#open(name) };
  }

  async #open(name: string): Promise<FileSystemSyncAccessHandleLike> {
    await pause();
    this.fuse.burn();
    if (this.disk.open.has(name)) throw new DOMException('locked', 'NoModificationAllowedError');
    this.disk.open.add(name);
    return new FakeHandle(this, name);
  }
}

class FakeHandle implements FileSystemSyncAccessHandleLike {
  constructor(
    readonly directory: FakeDirectory,
    readonly name: string,
  ) {}

  get #content(): Uint8Array {
    return this.directory.disk.files.get(this.name)!;
  }

  getSize(): number {
    return this.#content.length;
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    const part = this.#content.subarray(at, at + buffer.length);
    buffer.set(part);
    return part.length;
  }

  /**
   * Writes a part only when the process ends in it or the disk is full; now and then for no reason
   * at all.
   */
  write(buffer: Uint8Array, { at }: { at: number }): number {
    const { fuse, random, disk } = this.directory;
    let count = random.below(3) === 0 ? 1 + random.below(buffer.length) : buffer.length;
    const used = [...disk.files].reduce(
      (sum, [name, { length }]) => sum + (name === this.name ? 0 : length),
      0,
    );
    count = Math.max(0, Math.min(count, disk.capacity - used - at));
    const crashes = fuse.calls + 1 >= fuse.at;
    if (crashes) count = random.below(count + 1);
    const content = new Uint8Array(Math.max(this.#content.length, count > 0 ? at + count : 0));
    content.set(this.#content);
    content.set(buffer.subarray(0, count), at);
    disk.files.set(this.name, content);
    fuse.burn();
    return count;
  }

  truncate(size: number): void {
    this.directory.fuse.burn();
    const content = new Uint8Array(size);
    content.set(this.#content.subarray(0, size));
    this.directory.disk.files.set(this.name, content);
  }

  flush(): void {
    this.directory.fuse.burn();
  }

  close(): void {
    this.directory.fuse.burn();
    this.directory.disk.open.delete(this.name);
  }
}

contract(() => {
  const disk = new Disk();
  return () => opfsStore('model', { directory: new FakeDirectory(disk) });
});

/** A worker that saves and dies at a call; whether the save was reported done. */
async function saveAndCrash(
  disk: Disk,
  bytes: Uint8Array,
  at: number,
  seed: number,
): Promise<boolean> {
  const directory = new FakeDirectory(disk, new Fuse(at), new Xorshift(seed));
  const done = await opfsStore('m', { directory })
    .save(bytes)
    .then(
      () => true,
      (error) => {
        expect(error.cause).toBeInstanceOf(Crash);
        return false;
      },
    );
  // The browser closes the files of a worker that ends.
  disk.open.clear();
  return done;
}

const loadFrom = (disk: Disk) => opfsStore('m', { directory: new FakeDirectory(disk) }).load();

describe('a crash at any call', () => {
  test.each([0, 1, 2, 3, 5])(
    'after %d saves leaves the old checkpoint or the new one',
    async (before) => {
      for (let at = 1, finished = false; !finished; at++) {
        for (let seed = 1; seed <= 10; seed++) {
          const disk = new Disk();
          for (let i = 0; i < before; i++)
            await opfsStore('m', { directory: new FakeDirectory(disk) }).save(content(300 - i, i));
          const old = before === 0 ? null : content(301 - before, before - 1);
          finished = await saveAndCrash(disk, content(500, 9), at, seed * 31 + at);
          const loaded = (await loadFrom(disk))?.bytes ?? null;
          if (finished) expect(loaded).toEqual(content(500, 9));
          else expect([old, content(500, 9)]).toContainEqual(loaded);
        }
        expect(at).toBeLessThan(100);
      }
    },
  );

  test('again and again, 2000 times, loses nothing that was reported done', async () => {
    const random = new Xorshift(5);
    const disk = new Disk();
    let last: Uint8Array | null = null;
    let crashes = 0;
    for (let round = 0; round < 2000; round++) {
      const bytes = content(random.below(400), round);
      const done = await saveAndCrash(disk, bytes, 1 + random.below(25), round + 1);
      const loaded = (await loadFrom(disk))?.bytes ?? null;
      if (done) expect(loaded).toEqual(bytes);
      else expect([last, bytes]).toContainEqual(loaded);
      last = loaded;
      if (!done) crashes++;
    }
    expect(crashes).toBeGreaterThan(500);
  });
});

test('many megabytes are read, written and compared in pieces', async () => {
  const disk = new Disk();
  const directory = new FakeDirectory(disk);
  let largest = 0;
  const open = directory.getFileHandle.bind(directory);
  directory.getFileHandle = async (name, options) => {
    const file = await open(name, options);
    return {
      createSyncAccessHandle: async () => {
        const handle = await file.createSyncAccessHandle();
        for (const call of ['read', 'write'] as const) {
          const inner = handle[call].bind(handle);
          // No piece is written in part: the copies of the fake would take long.
          handle[call] = (buffer, place) => {
            largest = Math.max(largest, buffer.length);
            return call === 'write' ? writeAll(inner, buffer, place.at) : inner(buffer, place);
          };
        }
        return handle;
      },
    };
  };
  const store = opfsStore('m', { directory });
  const bytes = new Uint8Array(Buffer.alloc(33 * 1024 * 1024 + 5, content(997)).buffer);
  const { version } = await store.save(bytes);
  expectSameBytes((await store.load())!.bytes, bytes);
  await store.save(content(10), { ifVersion: version });
  expect(largest).toBe(16 * 1024 * 1024);
  disk.files.get('m.0')![20_000_000]! ^= 1;
  expectSameBytes((await store.load())!.bytes, content(10));

  function writeAll(
    write: FileSystemSyncAccessHandleLike['write'],
    buffer: Uint8Array,
    at: number,
  ): number {
    for (let done = 0; done < buffer.length; )
      done += write(buffer.subarray(done), { at: at + done });
    return buffer.length;
  }
});

describe('damage', () => {
  async function savedTwice(): Promise<Disk> {
    const disk = new Disk();
    const store = opfsStore('m', { directory: new FakeDirectory(disk) });
    await store.save(content(300, 1));
    await store.save(content(300, 2));
    return disk;
  }

  test('to the newest slot leaves the one before it', async () => {
    const disk = await savedTwice();
    disk.files.get('m.1')![200]! ^= 1;
    expectSameBytes((await loadFrom(disk))!.bytes, content(300, 1));
    // The next save goes over the damage and counts.
    await opfsStore('m', { directory: new FakeDirectory(disk) }).save(content(10, 3));
    expectSameBytes((await loadFrom(disk))!.bytes, content(10, 3));
  });

  test('to both is an error, not a fresh start, until a save without condition', async () => {
    const disk = await savedTwice();
    disk.files.get('m.0')![200]! ^= 1;
    disk.files.set('m.1', disk.files.get('m.1')!.subarray(0, 100));
    const store = opfsStore('m', { directory: new FakeDirectory(disk) });
    await expect(store.load()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT', reason: 'corrupt' });
    await expect(store.save(content(1), { ifVersion: null })).rejects.toMatchObject({
      reason: 'corrupt',
    });
    await store.save(content(10));
    expectSameBytes((await store.load())!.bytes, content(10));
    expect((await store.load())!.version).toMatch(/^3-/);
  });
});

test('no room is a named error, and the checkpoint stays', async () => {
  const disk = new Disk();
  const store = opfsStore('m', { directory: new FakeDirectory(disk) });
  await store.save(content(300));
  disk.capacity = 800;
  await expect(store.save(content(500))).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT_QUOTA',
    reason: 'quota',
  });
  expect(disk.files.get('m.1')).toHaveLength(0);
  expectSameBytes((await store.load())!.bytes, content(300));
  await store.save(content(200));
});

test('files in use are waited for, then a named error', async () => {
  const disk = new Disk();
  const store = opfsStore('m', { directory: new FakeDirectory(disk), timeoutMs: 20 });
  await store.save(content(1));
  disk.open.add('m.1');
  await expect(store.save(content(2))).rejects.toMatchObject({ reason: 'busy' });
  expect([...disk.open]).toEqual(['m.1']);
  disk.open.delete('m.1');
  await store.save(content(2));
});

test('says where it cannot be used', async () => {
  await expect(opfsStore('m').load()).rejects.toThrow(UnsupportedError);
  const page = { getFileHandle: async () => ({}) } as unknown as FileSystemDirectoryHandleLike;
  await expect(opfsStore('m', { directory: page }).load()).rejects.toThrow(
    /which only dedicated workers have/,
  );
  expect(() => opfsStore('')).toThrow(ArgumentError);
  expect(() => opfsStore('m', { timeoutMs: -1 })).toThrow(ArgumentError);
});
