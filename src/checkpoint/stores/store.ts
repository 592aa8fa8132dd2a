/**
 * Stores of checkpoints: one interface for files, browser storage and edge storage.
 *
 * A store keeps one checkpoint, as bytes that it does not interpret. A save replaces it as a whole:
 * whatever happens meanwhile, a load returns the bytes of the last save that completed, or of a
 * later one; never a mixture, and never nothing if there was a checkpoint. A damaged checkpoint is
 * an error, never a fresh start.
 *
 * Versions identify contents: equal versions mean equal bytes (a save of the same bytes may keep
 * the version). With `ifVersion`, a save compares the version and replaces the checkpoint in one
 * atomic operation, so of several writers that loaded the same version only one succeeds.
 */
import { AdalError, CheckpointError } from '../../errors';
import { checkOptions, fail } from '../../validate';
import { plainBytes } from '../dtypes';

/** A loaded checkpoint. */
export interface StoredCheckpoint {
  /** The bytes, owned by the caller. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Version of these bytes; pass it as `ifVersion` to replace them and nothing else. */
  version: string;
}

/** Options of `save`. */
export interface SaveOptions {
  /**
   * Version that must be stored for the save to succeed; null if nothing may be stored.
   * @default undefined: any version, or nothing
   */
  ifVersion?: string | null | undefined;
}

/** A store of one checkpoint. */
export interface CheckpointStore {
  /**
   * Loads the checkpoint.
   *
   * @returns null if no checkpoint has been saved
   * @throws CheckpointError with the reason `'corrupt'` if the checkpoint is damaged, or `'io'` if
   *   it cannot be read
   */
  load(): Promise<StoredCheckpoint | null>;
  /**
   * Replaces the checkpoint.
   *
   * @param bytes the new checkpoint; `save` copies it before it returns
   * @returns the version of the new checkpoint
   * @throws CheckpointConflictError if another version than `ifVersion` is stored; nothing changes
   * @throws CheckpointQuotaError if there is no room; nothing changes
   * @throws CheckpointError with the reason `'io'` if the store cannot be written to, `'busy'` if
   *   other writers hold it for too long, or `'memory'` if there is no memory for the copy
   */
  save(bytes: Uint8Array, options?: SaveOptions): Promise<{ version: string }>;
}

/**
 * Thrown by a conditional save if another version than the expected one is stored. Nothing has
 * changed: load the checkpoint, merge, and save again.
 */
export class CheckpointConflictError extends CheckpointError {
  /** The expected version, from `ifVersion`; null if nothing was expected. */
  readonly expected: string | null;
  /** The stored version; null if nothing is stored. */
  readonly actual: string | null;

  constructor(expected: string | null, actual: string | null) {
    super(
      'conflict',
      `checkpoint version expected ${name(expected)}, got ${name(actual)}`,
      undefined,
      'ERR_CHECKPOINT_CONFLICT',
    );
    this.expected = expected;
    this.actual = actual;
  }
}

/** Thrown by a save if the store has no room for the checkpoint. Nothing has changed. */
export class CheckpointQuotaError extends CheckpointError {
  /** Size of the checkpoint that was to be saved, in bytes. */
  readonly requiredBytes: number;

  constructor(requiredBytes: number, options?: ErrorOptions) {
    super(
      'quota',
      `no room for a checkpoint of ${requiredBytes} bytes`,
      options,
      'ERR_CHECKPOINT_QUOTA',
    );
    this.requiredBytes = requiredBytes;
  }
}

function name(version: string | null): string {
  return version === null ? 'none' : JSON.stringify(version);
}

/**
 * Checks the arguments of `save` and returns a copy of the bytes. Storage refuses shared memory,
 * and would keep all of a larger buffer.
 */
export function prepareSave(bytes: Uint8Array, options: SaveOptions): Uint8Array<ArrayBuffer> {
  const given = plainBytes(bytes) ?? fail('bytes', 'a Uint8Array', bytes);
  checkOptions('options', options, ['ifVersion']);
  const { ifVersion } = options;
  if (ifVersion !== undefined && ifVersion !== null && typeof ifVersion !== 'string') {
    fail('options.ifVersion', 'a string or null', ifVersion);
  }
  try {
    return new Uint8Array(given);
  } catch (cause) {
    throw new CheckpointError('memory', `cannot allocate a copy of ${given.length} bytes`, {
      cause,
    });
  }
}

/** Throws a CheckpointConflictError unless `ifVersion` is undefined or the stored version. */
export function checkVersion(ifVersion: string | null | undefined, actual: string | null): void {
  if (ifVersion !== undefined && ifVersion !== actual)
    throw new CheckpointConflictError(ifVersion, actual);
}

/** Checks that a value is a non-empty string. */
export function checkName(argument: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') fail(argument, 'a non-empty string', value);
}

/**
 * Returns a store that loads by `read` and saves by `write`, which is given a copy of the bytes.
 * @param what how errors name the stored checkpoint
 */
export function createStore(
  what: string,
  read: () => Promise<StoredCheckpoint | null>,
  write: (copy: Uint8Array<ArrayBuffer>, options: SaveOptions) => Promise<{ version: string }>,
): CheckpointStore {
  return {
    async load() {
      try {
        return await read();
      } catch (error) {
        throw storageError(what, error);
      }
    },
    async save(bytes, options = {}) {
      const copy = prepareSave(bytes, options);
      try {
        return await write(copy, options);
      } catch (error) {
        throw storageError(what, error, copy.length);
      }
    },
  };
}

/**
 * Returns an error of the platform as a CheckpointError, and errors of this library as they are.
 */
export function storageError(what: string, error: unknown, requiredBytes = 0): Error {
  if (error instanceof AdalError) return error;
  if (isQuota(error)) return new CheckpointQuotaError(requiredBytes, { cause: error });
  return new CheckpointError(
    'io',
    `${what}: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  );
}

function isQuota(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'QuotaExceededError' || code === 'ENOSPC' || code === 'EDQUOT';
}
