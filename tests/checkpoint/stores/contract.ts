/** What every store must do, run against each. */
import { describe, expect, test } from 'vitest';
import { CheckpointConflictError, type CheckpointStore } from '../../../src/checkpoint';
import { ArgumentError, CheckpointError } from '../../../src/errors';
import { Xorshift } from '../../support/xorshift';

/** Opens stores, all of the same place. */
export type Opener = () => CheckpointStore;

/** Bytes that differ by length and seed. */
export function content(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const random = new Xorshift(seed * 7919 + length);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Much faster than toEqual. */
export function expectSameBytes(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.length).toBe(wanted.length);
  expect(Buffer.compare(got, wanted)).toBe(0);
}

/** The version that is stored; null: none. */
export async function storedVersion(store: CheckpointStore): Promise<string | null> {
  return (await store.load())?.version ?? null;
}

/**
 * @param createPlace makes a new, empty place
 * @param sizes that matter to the store, besides a few that do to all
 */
export function contract(
  createPlace: () => Opener | Promise<Opener>,
  sizes: readonly number[] = [],
): void {
  describe('the contract', () => {
    test('has nothing before the first save', async () => {
      expect(await (await createPlace())().load()).toBeNull();
    });

    test.each([0, 1, 1000, 100_000, ...sizes])(
      'gives back %d bytes, to another store of the same place too',
      async (size) => {
        const open = await createPlace();
        const bytes = content(size);
        const { version } = await open().save(bytes);
        const loaded = (await open().load())!;
        expect(loaded.version).toBe(version);
        expectSameBytes(loaded.bytes, bytes);
        // Smaller and larger ones leave nothing behind.
        for (const other of [
          content(Math.floor(size / 3), 2),
          content(size + 10, 3),
          content(size, 4),
        ]) {
          await open().save(other);
          expectSameBytes((await open().load())!.bytes, other);
        }
      },
    );

    test('keeps no hold of the bytes it was given or gave', async () => {
      const store = (await createPlace())();
      const bytes = content(100);
      const saving = store.save(bytes);
      bytes.fill(0);
      await saving;
      const loaded = (await store.load())!;
      expect(loaded.bytes).toEqual(content(100));
      loaded.bytes.fill(0);
      expect((await store.load())!.bytes).toEqual(content(100));
    });

    test('takes views of larger and of shared buffers', async () => {
      const store = (await createPlace())();
      const shared = new Uint8Array(new SharedArrayBuffer(300), 100, 50);
      shared.set(content(50));
      for (const view of [shared, new Uint8Array(shared).subarray(10, 20)]) {
        await store.save(view);
        const { bytes } = (await store.load())!;
        expect(bytes).toEqual(Uint8Array.from(view));
        expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
      }
    });

    conflicts(createPlace);
    concurrency(createPlace);

    test.each<[string, unknown, unknown]>([
      ['bytes', [1, 2], {}],
      ['options', new Uint8Array(1), null],
      ['options.ifversion', new Uint8Array(1), { ifversion: null }],
      ['options.ifVersion', new Uint8Array(1), { ifVersion: 1 }],
    ])('refuses wrong %s', async (argument, bytes, options) => {
      const store = (await createPlace())();
      const error = await store
        .save(bytes as Uint8Array, options as object)
        .catch((reason) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.argument).toBe(argument);
      expect(await store.load()).toBeNull();
    });
  });
}

function conflicts(createPlace: () => Opener | Promise<Opener>): void {
  test('saves on condition of the version that is stored, and on no other', async () => {
    const open = await createPlace();
    const [one, two] = [open(), open()];
    const first = await one.save(content(10), { ifVersion: null });
    const second = await two.save(content(20), { ifVersion: first.version });
    expect(second.version).not.toBe(first.version);
    for (const [expected, store] of [
      [first.version, one],
      [null, two],
      ['another', one],
    ] as const) {
      const error = await store
        .save(content(30), { ifVersion: expected })
        .catch((reason) => reason);
      expect(error).toBeInstanceOf(CheckpointConflictError);
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error).toMatchObject({
        code: 'ERR_CHECKPOINT_CONFLICT',
        reason: 'conflict',
        expected,
        actual: second.version,
      });
    }
    expect(await one.load()).toEqual({ bytes: content(20), version: second.version });
    const third = await one.save(content(20), { ifVersion: second.version });
    expect(await storedVersion(two)).toBe(third.version);
  });

  test('tells a version where nothing is stored from null', async () => {
    const store = (await createPlace())();
    const error = await store.save(content(10), { ifVersion: 'gone' }).catch((reason) => reason);
    expect(error).toBeInstanceOf(CheckpointConflictError);
    expect(error).toMatchObject({ expected: 'gone', actual: null });
    expect(await store.load()).toBeNull();
  });
}

function concurrency(createPlace: () => Opener | Promise<Opener>): void {
  test('lets one of 50 writers of the same version win', async () => {
    const open = await createPlace();
    await expectOneWinner(open, null);
    await expectOneWinner(open, await storedVersion(open()), 100);
  });

  test('loses none of 50 increments by two stores', async () => {
    const open = await createPlace();
    const stores = [open(), open()];
    const increment = async (store: CheckpointStore): Promise<void> => {
      for (;;) {
        const latest = await store.load();
        const count = latest
          ? new DataView(latest.bytes.buffer, latest.bytes.byteOffset).getUint32(0, true)
          : 0;
        const next = new Uint8Array(Uint32Array.of(count + 1).buffer);
        try {
          await store.save(next, { ifVersion: latest?.version ?? null });
          return;
        } catch (error) {
          if (!(error instanceof CheckpointConflictError)) throw error;
        }
      }
    };
    const writer = async (store: CheckpointStore): Promise<void> => {
      for (let i = 0; i < 25; i++) await increment(store);
    };
    await Promise.all(stores.map(writer));
    expect((await open().load())!.bytes).toEqual(Uint8Array.of(50, 0, 0, 0));
  });

  test('keeps one of 50 unconditional saves, whole', async () => {
    const open = await createPlace();
    const saves = Array.from({ length: 50 }, (_, i) => content(1000 + i, i));
    await Promise.all(saves.map((bytes) => open().save(bytes)));
    expect(saves).toContainEqual((await open().load())!.bytes);
  });
}

/**
 * @param seed of the contents: others than what is stored, since a version may be a hash of the
 * content
 */
async function expectOneWinner(open: Opener, ifVersion: string | null, seed = 0): Promise<void> {
  const saves = Array.from({ length: 50 }, (_, i) =>
    open().save(content(200, seed + i), { ifVersion }),
  );
  const results = await Promise.allSettled(saves);
  const won = results.flatMap((result, i) =>
    result.status === 'fulfilled' ? [{ i, version: result.value.version }] : [],
  );
  expect(won).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(CheckpointConflictError);
  }
  expect(await open().load()).toEqual({
    bytes: content(200, seed + won[0]!.i),
    version: won[0]!.version,
  });
}
