/**
 * Checkpoints cut into pieces, for key-value storage whose values are limited. A manifest tells
 * what the pieces make up.
 *
 *     manifest ─┬─ generation ──► chunk 0 │ chunk 1 │ … │ chunk n-1
 *               └─ length, checksum of all of them together
 *
 * Invariant: chunks of a generation are written once and never changed; the manifest alone decides
 * which generation counts.
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
 * Checks that a stored value is a manifest. Loops over its chunks end: no chunk is empty, so there
 * are no more of them than bytes.
 * @throws CheckpointError with the reason `'corrupt'`
 */
export function readManifest(value: unknown, what: string): Manifest {
  const { format, generation, chunkCount, length, checksum } = (value ?? {}) as Partial<
    Record<keyof Manifest, unknown>
  >;
  const whole = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  const counts = whole(chunkCount) && whole(length) && (chunkCount as number) <= (length as number);
  if (format !== 1 || typeof generation !== 'string' || !counts || typeof checksum !== 'string') {
    throw new CheckpointError(
      'corrupt',
      `${what}: expected the manifest of a checkpoint, got another value`,
    );
  }
  return value as Manifest;
}

/**
 * Takes the pieces one after the other, so that a missing one ends the reading at once, whatever
 * the manifest claims.
 */
export class ChunkJoiner {
  readonly #manifest: Manifest;
  readonly #what: string;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(manifest: Manifest, what: string) {
    this.#manifest = manifest;
    this.#what = what;
  }

  /**
   * @throws CheckpointError with the reason `'corrupt'` when it is missing, no bytes or too many
   */
  add(chunk: unknown): void {
    if (!isUint8Array(chunk)) {
      this.#refuse(`chunk ${this.#chunks.length} of ${this.#manifest.chunkCount} is missing`);
    }
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > this.#manifest.length)
      this.#refuse(`expected ${this.#manifest.length} bytes, got more`);
  }

  /**
   * All of them. @throws CheckpointError with the reason `'corrupt'` when they are not what was
   * saved
   */
  join(): Uint8Array<ArrayBuffer> {
    if (this.#length !== this.#manifest.length) {
      this.#refuse(`expected ${this.#manifest.length} bytes, got ${this.#length}`);
    }
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    if (checksum(bytes) !== this.#manifest.checksum) {
      this.#refuse('the bytes do not have the checksum they were saved with');
    }
    return bytes;
  }

  #refuse(what: string): never {
    throw new CheckpointError('corrupt', `${this.#what}: ${what}`);
  }
}

/** Runs over items in groups of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** The numbers below count, in groups of at most `size`, one group at a time. */
export function* indexBatches(count: number, size: number): Generator<number[]> {
  for (let first = 0; first < count; first += size) {
    yield Array.from({ length: Math.min(size, count - first) }, (_, i) => first + i);
  }
}
