/**
 * Checkpoints cut into pieces, for key-value storage whose values are limited. A manifest tells what the pieces make up.
 *
 *     manifest ─┬─ generation ──► chunk 0 │ chunk 1 │ … │ chunk n-1
 *               └─ length, checksum of all of them together
 *
 * Invariant: chunks of a generation are written once and never changed; the manifest alone decides which generation counts.
 */
import { CheckpointError } from '../../errors';
import { isUint8Array } from '../../validate';
import { checksum } from './checksum';

/** What the pieces of one generation make up. */
export interface Manifest {
  readonly format: 1;
  /** Names the pieces. */
  readonly generation: string;
  readonly chunkCount: number;
  /** Bytes of all pieces. */
  readonly length: number;
  readonly checksum: string;
}

/** The pieces of a checkpoint; none of an empty one. */
export function splitIntoChunks(bytes: Uint8Array, chunkBytes: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / chunkBytes);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * chunkBytes, (i + 1) * chunkBytes));
}

/** The manifest of a checkpoint. */
export function manifestOf(bytes: Uint8Array, generation: string, chunkCount: number): Manifest {
  return { format: 1, generation, chunkCount, length: bytes.length, checksum: checksum(bytes) };
}

/**
 * Checks that a stored value is a manifest.
 * @throws CheckpointError with the reason `'corrupt'`
 */
export function readManifest(value: unknown, what: string): Manifest {
  const { format, generation, chunkCount, length, checksum } = (value ?? {}) as Partial<Record<keyof Manifest, unknown>>;
  const whole = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  if (format !== 1 || typeof generation !== 'string' || !whole(chunkCount) || !whole(length) || typeof checksum !== 'string') {
    throw new CheckpointError('corrupt', `${what}: expected the manifest of a checkpoint, got another value`);
  }
  return value as Manifest;
}

/**
 * Joins the pieces.
 * @throws CheckpointError with the reason `'corrupt'` when a piece is missing, no bytes, of another length or changed
 */
export function joinChunks(chunks: readonly unknown[], manifest: Manifest, what: string): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const [index, chunk] of chunks.entries()) {
    if (!isUint8Array(chunk)) {
      throw new CheckpointError('corrupt', `${what}: chunk ${index} of ${manifest.chunkCount} is missing`);
    }
    length += chunk.length;
  }
  if (length !== manifest.length) {
    throw new CheckpointError('corrupt', `${what}: expected ${manifest.length} bytes, got ${length}`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks as readonly Uint8Array[]) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (checksum(bytes) !== manifest.checksum) {
    throw new CheckpointError('corrupt', `${what}: the bytes do not have the checksum they were saved with`);
  }
  return bytes;
}

/** Runs over items in groups of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** The numbers below count. */
export function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
