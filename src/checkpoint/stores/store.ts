/**
 * Where checkpoints are kept: one contract for files, browsers' storage and the edge's.
 *
 * Every store keeps one checkpoint, as bytes it does not look into. A save replaces it whole:
 * whatever happens on the way, a load gives the bytes of the last save that was reported done, or
 * of a later one, never a mixture, and never nothing where there was something. A checkpoint found
 * damaged is an error, not a fresh start.
 *
 * Versions tell contents apart: equal versions mean equal bytes (a save of the same bytes may keep
 * the version). `ifVersion` makes a save conditional on what is stored, checked and replaced in one
 * indivisible act, so that of several writers who loaded the same version only one succeeds.
 */
import { AdalError, CheckpointError } from '../../errors';
import { checkOptions, fail } from '../../validate';
import { plainBytes } from '../dtypes';

/** A checkpoint as it was loaded. */
export interface StoredCheckpoint {
  /** The caller's own: no store holds on to them. */
  bytes: Uint8Array<ArrayBuffer>;
  /** What to pass as `ifVersion` when this content is to be replaced and no other. */
  version: string;
}

/** Options of `save`. */
export interface SaveOptions {
  /**
   * Save only if this version is stored; null: only if nothing is.
   * @default undefined: whatever is stored
   */
  ifVersion?: string | null | undefined;
}

/** A place for one checkpoint. */
export interface CheckpointStore {
  /**
   * The checkpoint, or null when none has been saved.
   * @throws CheckpointError with the reason `'corrupt'` when what is stored is damaged, `'io'` when
   * it cannot be read
   */
  load(): Promise<StoredCheckpoint | null>;
  /**
   * Replaces the checkpoint.
   * @param bytes copied before the returned promise is waited for
   * @throws CheckpointConflictError when `ifVersion` is not what is stored: nothing has changed
   * @throws CheckpointQuotaError when there is no room: nothing has changed
   * @throws CheckpointError with the reason `'io'` when it cannot be written, `'busy'` when others
   * keep
   *   it from being replaced, `'memory'` when there is none for the copy
   */
  save(bytes: Uint8Array, options?: SaveOptions): Promise<{ version: string }>;
}

/**
 * Another version than the expected one is stored. Nothing has changed: load, merge or give up,
 * save again.
 */
export class CheckpointConflictError extends CheckpointError {
  /** The version that `ifVersion` asked for; null: none. */
  readonly expected: string | null;
  /** The version that is stored; null: none. */
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

/** The store has no room for the checkpoint. Nothing has changed. */
export class CheckpointQuotaError extends CheckpointError {
  /** Bytes that were to be saved. */
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
 * Checks the arguments of `save` and copies the bytes: out of shared memory, which storage refuses,
 * and out of larger buffers, which storage would keep whole.
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
    throw new CheckpointError('memory', `no memory for a copy of ${given.length} bytes`, { cause });
  }
}

/** Throws when `ifVersion` is told and is not what is stored. */
export function checkVersion(ifVersion: string | null | undefined, actual: string | null): void {
  if (ifVersion !== undefined && ifVersion !== actual)
    throw new CheckpointConflictError(ifVersion, actual);
}

/** A non-empty name. */
export function checkName(argument: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') fail(argument, 'a non-empty string', value);
}

/** An error of the platform, named; the library's own pass. */
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
