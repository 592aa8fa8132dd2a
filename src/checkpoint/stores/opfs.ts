/**
 * A store that keeps a checkpoint in the origin private file system of a browser. That has no
 * dependable rename, so two files (slots) alternate.
 *
 *     <name>.0   header │ bytes
 *     <name>.1   header │ bytes
 *
 * The slot with the higher sequence number in its header is the current one; the next save
 * overwrites the other. A save empties that slot, writes the bytes, flushes, then writes the header
 * and flushes. Until the header is complete, the slot counts as empty, and the other one still
 * holds the previous checkpoint. A slot with a valid header and damaged bytes is skipped; if no
 * slot is whole, that is an error, never a fresh start.
 *
 * The handle of slot 0 is the lock: the file system gives it to one worker at a time, across tabs.
 */
import { CheckpointError, UnsupportedError } from '../../errors';
import { checkInteger, checkOptions } from '../../validate';
import {
  type FileSystemSyncAccessHandleLike,
  loadSlot,
  readSlot,
  type Slot,
  verifySlot,
  writeSlot,
} from './opfs-slot';
import {
  type CheckpointStore,
  checkName,
  checkVersion,
  prepareSave,
  type SaveOptions,
  type StoredCheckpoint,
  storageError,
} from './store';

/** The part of `FileSystemFileHandle` that the store uses. */
export interface FileSystemFileHandleLike {
  createSyncAccessHandle(): Promise<FileSystemSyncAccessHandleLike>;
}

/** The part of `FileSystemDirectoryHandle` that the store uses. */
export interface FileSystemDirectoryHandleLike {
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileSystemFileHandleLike>;
}

/** Options of `opfsStore`. */
export interface OpfsStoreOptions {
  /**
   * Directory of the two files.
   * @default the root of the origin-private file system
   */
  directory?: FileSystemDirectoryHandleLike;
  /**
   * Time to wait for the load or save of another worker, in milliseconds, an integer in
   * [0, 600000]. After that, `load` and `save` throw a CheckpointError with the reason `'busy'`.
   * @default 10000
   */
  timeoutMs?: number;
}

/** Pause between attempts to take the lock. */
const RETRY_MS = 5;

/**
 * Creates a store that keeps a checkpoint in the origin private file system of a browser. It works
 * only in workers, since pages have no synchronous file access; use `indexedDbStore` in a page.
 *
 * Browsers may evict the data of an origin when the disk fills up, unless the page has called
 * `navigator.storage.persist()`.
 *
 * @param name name of the two files, to which the store appends ".0" and ".1"
 * @throws ArgumentError for an empty name or options out of range
 * @throws UnsupportedError from `load` and `save` if there is no such file system or the browser
 *   denies access (private windows)
 * @example
 * const store = opfsStore('model');
 * const latest = await store.load();
 * await store.save(bytes, { ifVersion: latest?.version ?? null });
 */
export function opfsStore(name: string, options: OpfsStoreOptions = {}): CheckpointStore {
  checkName('name', name);
  checkOptions('options', options, ['directory', 'timeoutMs']);
  const timeoutMs = checkInteger('options.timeoutMs', options.timeoutMs ?? 10_000, 0, 600_000);
  return new OpfsStore(name, options.directory, timeoutMs);
}

class OpfsStore implements CheckpointStore {
  readonly #name: string;
  readonly #directory: FileSystemDirectoryHandleLike | undefined;
  readonly #timeoutMs: number;

  constructor(
    name: string,
    directory: FileSystemDirectoryHandleLike | undefined,
    timeoutMs: number,
  ) {
    this.#name = name;
    this.#directory = directory;
    this.#timeoutMs = timeoutMs;
  }

  async load(): Promise<StoredCheckpoint | null> {
    try {
      return await this.#withSlots(false, (slots) => newest(this.#name, slots));
    } catch (error) {
      throw this.#named(error);
    }
  }

  async save(bytes: Uint8Array, options: SaveOptions = {}): Promise<{ version: string }> {
    const copy = prepareSave(bytes, options);
    try {
      return await this.#withSlots(true, (slots) =>
        replace(this.#name, slots, copy, options.ifVersion),
      );
    } catch (error) {
      throw this.#named(error, copy.length);
    }
  }

  /** Runs the synchronous function `work` while nobody else has the slots. */
  async #withSlots<T>(create: boolean, work: (slots: [Slot, Slot]) => T): Promise<T> {
    const directory = this.#directory ?? (await rootDirectory());
    const handles: (FileSystemSyncAccessHandleLike | null)[] = [];
    try {
      for (const index of [0, 1])
        handles.push(await this.#open(directory, `${this.#name}.${index}`, create));
      return work([readSlot(handles[0]!), readSlot(handles[1]!)]);
    } finally {
      // In reverse: slot 0 is the lock.
      for (const handle of handles.reverse()) handle?.close();
    }
  }

  /** Opens a file; returns null if it does not exist and `create` is false. */
  async #open(
    directory: FileSystemDirectoryHandleLike,
    file: string,
    create: boolean,
  ): Promise<FileSystemSyncAccessHandleLike | null> {
    let handle: FileSystemFileHandleLike;
    try {
      handle = await directory.getFileHandle(file, { create });
    } catch (error) {
      if (!create && isNamed(error, 'NotFoundError')) return null;
      throw error;
    }
    if (typeof handle.createSyncAccessHandle !== 'function') {
      throw new UnsupportedError(
        'opfsStore needs synchronous file access, which only dedicated workers have: ' +
          'use it there, or use indexedDbStore',
      );
    }
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      try {
        return await handle.createSyncAccessHandle();
      } catch (error) {
        if (!isNamed(error, 'NoModificationAllowedError', 'InvalidStateError')) throw error;
        if (waitedMs >= this.#timeoutMs) {
          const message = `OPFS file "${file}": in use elsewhere for ${this.#timeoutMs} ms`;
          throw new CheckpointError('busy', message, { cause: error });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #named(error: unknown, requiredBytes = 0): Error {
    return storageError(`OPFS files "${this.#name}"`, error, requiredBytes);
  }
}

function isNamed(error: unknown, ...names: string[]): boolean {
  return names.includes((error as { name?: string } | null)?.name ?? '');
}

async function rootDirectory(): Promise<FileSystemDirectoryHandleLike> {
  const { navigator } = globalThis as {
    navigator?: { storage?: { getDirectory?: () => Promise<unknown> } };
  };
  if (!navigator?.storage?.getDirectory)
    throw new UnsupportedError('this environment has no origin private file system');
  try {
    return (await navigator.storage.getDirectory()) as FileSystemDirectoryHandleLike;
  } catch (cause) {
    throw new UnsupportedError(
      'the browser denies access to its origin private file system (a private window?)',
      { cause },
    );
  }
}

/** Returns the slots that are not empty, newest first. */
function byAge(slots: readonly Slot[]): Slot[] {
  const sequence = ({ header }: Slot) => header!.sequence;
  return slots.filter(({ header }) => header !== null).sort((a, b) => sequence(b) - sequence(a));
}

/** Returns the newest whole checkpoint; null if none has ever been saved. */
function newest(name: string, slots: readonly Slot[]): StoredCheckpoint | null {
  const saved = byAge(slots);
  for (const slot of saved) {
    const content = loadSlot(slot);
    if (content) return content;
  }
  if (saved.length === 0) return null;
  throw corrupt(name);
}

function corrupt(name: string): CheckpointError {
  return new CheckpointError(
    'corrupt',
    `OPFS files "${name}": the checksum does not match the saved one`,
  );
}

function replace(
  name: string,
  slots: readonly Slot[],
  bytes: Uint8Array,
  ifVersion: SaveOptions['ifVersion'],
): { version: string } {
  const saved = byAge(slots);
  let version: string | null = null;
  // Overwrites the slot that is not current, whether it is empty, older or damaged.
  const current = saved.find((slot) => (version = verifySlot(slot)) !== null);
  if (ifVersion !== undefined) {
    if (!current && saved.length > 0) throw corrupt(name);
    checkVersion(ifVersion, version);
  }
  const handle = slots.find((slot) => slot !== current)!.handle!;
  const sequence = (saved[0]?.header?.sequence ?? 0) + 1;
  try {
    return { version: writeSlot(handle, bytes, sequence) };
  } catch (error) {
    // Frees the space of the part that was written.
    handle.truncate(0);
    throw error;
  }
}
