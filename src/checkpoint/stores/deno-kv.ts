/**
 * A store that keeps a checkpoint in Deno KV, whose values hold 64 KiB and whose atomic commits
 * hold 800 KiB.
 *
 *     [...key]                        → manifest; its versionstamp is the version
 *     [...key, 'generations', id]     → { chunkCount }: note that these chunks exist or soon will
 *     [...key, 'chunks', id, index]   → chunk
 *
 * A save writes its chunks under a fresh id. It writes the last chunks and the manifest in one
 * atomic commit, on the condition that the manifest has not changed since the save began. (A small
 * checkpoint is a single commit.) Then it deletes the generations that it found at its beginning. A
 * writer of one of those began before this commit, so its own commit fails and it starts over.
 */
import { CheckpointError } from '../../errors';
import { fail } from '../../validate';
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
  CheckpointConflictError,
  type CheckpointStore,
  checkVersion,
  prepareSave,
  type StoredCheckpoint,
  storageError,
} from './store';

/** Part of a key. */
export type DenoKvKeyPart = string | number | bigint | boolean | Uint8Array;
/** A key: its parts. */
export type DenoKvKey = DenoKvKeyPart[];

/** The part of `Deno.KvEntryMaybe` that the store uses. */
export interface DenoKvEntryLike {
  readonly key: readonly unknown[];
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** The part of `Deno.AtomicOperation` that the store uses. */
export interface DenoKvAtomicLike {
  check(...checks: { key: DenoKvKey; versionstamp: string | null }[]): unknown;
  set(key: DenoKvKey, value: unknown): unknown;
  delete(key: DenoKvKey): unknown;
  commit(): Promise<{ readonly ok: boolean; readonly versionstamp?: string }>;
}

/** The part of `Deno.Kv` that the store uses. */
export interface DenoKvLike {
  get(key: DenoKvKey): Promise<DenoKvEntryLike>;
  getMany(keys: DenoKvKey[]): Promise<DenoKvEntryLike[]>;
  list(selector: { prefix: DenoKvKey }): AsyncIterable<DenoKvEntryLike>;
  atomic(): DenoKvAtomicLike;
}

/** Bytes per value: 64 KiB, minus room for the encoding. */
const CHUNK_BYTES = 60 * 1024;
/** Chunks per commit or read: 600 KiB, and the ten keys that `getMany` accepts. */
const CHUNKS_PER_CALL = 10;
/** Deletions per commit. */
const DELETIONS_PER_CALL = 100;
/** More than fits into memory; a note with a larger count is damaged. */
const MAX_CHUNKS = 2 ** 20;
/** Attempts of a load or an unconditional save while other saves interfere. */
const MAX_TRIES = 100;

/**
 * Creates a store that keeps a checkpoint in Deno KV.
 *
 * @param kv an open database
 * @param key key of the checkpoint, at least one part; the store owns all keys that start with it
 * @throws ArgumentError if `kv` is not a database or the key is empty
 * @example
 * const store = denoKvStore(await Deno.openKv(), ['models', 'user-7']);
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 * @see https://docs.deno.com/deploy/kv/
 */
export function denoKvStore(kv: DenoKvLike, key: readonly DenoKvKeyPart[]): CheckpointStore {
  if (typeof kv?.atomic !== 'function') fail('kv', 'a Deno KV database', kv);
  if (!Array.isArray(key) || key.length === 0) fail('key', 'an array of at least one part', key);
  return new DenoKvStore(kv, [...key]);
}

class DenoKvStore implements CheckpointStore {
  readonly #kv: DenoKvLike;
  readonly #key: DenoKvKey;
  readonly #what: string;

  constructor(kv: DenoKvLike, key: DenoKvKey) {
    this.#kv = kv;
    this.#key = key;
    this.#what = `Deno KV key [${key.map(String).join(', ')}]`;
  }

  async load(): Promise<StoredCheckpoint | null> {
    try {
      return await this.#read();
    } catch (error) {
      throw storageError(this.#what, error);
    }
  }

  async save(
    bytes: Uint8Array,
    options: { ifVersion?: string | null | undefined } = {},
  ): Promise<{ version: string }> {
    const copy = prepareSave(bytes, options);
    try {
      for (let tries = 1; tries <= MAX_TRIES; tries++) {
        const version = await this.#replace(copy, options.ifVersion);
        if (version !== null) return { version };
      }
      throw new CheckpointError(
        'busy',
        `${this.#what}: other writers saved first ${MAX_TRIES} times in a row`,
      );
    } catch (error) {
      throw storageError(this.#what, error, copy.length);
    }
  }

  /** Starts over if a save replaces the manifest and deletes the chunks that are being read. */
  async #read(): Promise<StoredCheckpoint | null> {
    for (let tries = 1; ; tries++) {
      const { value, versionstamp } = await this.#kv.get(this.#key);
      if (versionstamp === null) return null;
      const manifest = readManifest(value, this.#what);
      try {
        return { bytes: await this.#readChunks(manifest), version: versionstamp };
      } catch (error) {
        if (tries === MAX_TRIES || (await this.#kv.get(this.#key)).versionstamp === versionstamp)
          throw error;
      }
    }
  }

  async #readChunks(manifest: Manifest): Promise<Uint8Array<ArrayBuffer>> {
    const joiner = new ChunkJoiner(manifest, this.#what);
    for (const batch of indexBatches(manifest.chunkCount, CHUNKS_PER_CALL)) {
      const found = await this.#kv.getMany(
        batch.map((index) => this.#chunkKey(manifest.generation, index)),
      );
      for (const { value } of found) joiner.add(value);
    }
    return joiner.join();
  }

  /**
   * Returns the new version; null if another save came first and this one, being unconditional, may
   * be repeated.
   */
  async #replace(bytes: Uint8Array, ifVersion: string | null | undefined): Promise<string | null> {
    const before = await this.#kv.get(this.#key);
    checkVersion(ifVersion, before.versionstamp);
    const obsolete = await this.#generations();
    const generation = freshId();
    const chunks = splitIntoChunks(bytes, CHUNK_BYTES);
    const version = await this.#write(
      generation,
      chunks,
      manifestOf(bytes, generation, chunks.length),
      before.versionstamp,
    );
    if (version === null) {
      await this.#delete(generation, chunks.length);
      if (ifVersion !== undefined) {
        throw new CheckpointConflictError(ifVersion, (await this.#kv.get(this.#key)).versionstamp);
      }
      return null;
    }
    // The save is complete. If a deletion fails, the next save repeats it.
    for (const [id, count] of obsolete) await this.#delete(id, count).catch(() => {});
    return version;
  }

  /**
   * Writes chunks and, with the last of them, the manifest. Returns null if the manifest no longer
   * has the expected versionstamp.
   */
  async #write(
    generation: string,
    chunks: Uint8Array[],
    manifest: unknown,
    expected: string | null,
  ): Promise<string | null> {
    const groups = batches([...chunks.entries()], CHUNKS_PER_CALL);
    if (groups.length === 0) groups.push([]);
    for (const [index, group] of groups.entries()) {
      const atomic = this.#kv.atomic();
      if (index === 0) atomic.set(this.#generationKey(generation), { chunkCount: chunks.length });
      for (const [number, chunk] of group) atomic.set(this.#chunkKey(generation, number), chunk);
      if (index === groups.length - 1) {
        atomic.check({ key: this.#key, versionstamp: expected });
        atomic.set(this.#key, manifest);
      }
      const { ok, versionstamp } = await atomic.commit();
      if (!ok) return null;
      if (index === groups.length - 1) return versionstamp as string;
    }
    return null;
  }

  async #generations(): Promise<[id: string, chunkCount: number][]> {
    const found: [string, number][] = [];
    for await (const { key, value } of this.#kv.list({ prefix: [...this.#key, 'generations'] })) {
      const count: unknown = (value as { chunkCount?: unknown } | null)?.chunkCount;
      // A value of another form is deleted like a note without chunks.
      const isCount =
        Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= MAX_CHUNKS;
      found.push([String(key[key.length - 1]), isCount ? (count as number) : 0]);
    }
    return found;
  }

  /** Deletes the note last, so that an interrupted deletion is found and repeated. */
  async #delete(generation: string, chunkCount: number): Promise<void> {
    for (const batch of indexBatches(chunkCount, DELETIONS_PER_CALL)) {
      await this.#deleteKeys(batch.map((index) => this.#chunkKey(generation, index)));
    }
    await this.#deleteKeys([this.#generationKey(generation)]);
  }

  async #deleteKeys(keys: readonly DenoKvKey[]): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const key of keys) atomic.delete(key);
    await atomic.commit();
  }

  #chunkKey(generation: string, index: number): DenoKvKey {
    return [...this.#key, 'chunks', generation, index];
  }

  #generationKey(generation: string): DenoKvKey {
    return [...this.#key, 'generations', generation];
  }
}

/** Returns an id that no other writer uses. */
function freshId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
