/**
 * Checkpoints split into chunks, for key-value storage that limits the size of values. A manifest
 * describes the chunks.
 *
 *     manifest ─┬─ generation ──► chunk 0 │ chunk 1 │ … │ chunk n-1
 *               └─ total length and checksum
 *
 * Invariant: the chunks of a generation are written once and never changed; the manifest decides
 * which generation is current.
 */
import { CheckpointError } from '../../errors';
import { isUint8Array } from '../../validate';
import { checksum } from './checksum';

/** Description of the chunks of one generation. */
export interface Manifest {
  readonly format: 1;
  /** Part of the keys of the chunks. */
  readonly generation: string;
  readonly chunkCount: number;
  /** Total size of all chunks, in bytes. */
  readonly length: number;
  readonly checksum: string;
}

/** Splits a checkpoint into chunks; an empty checkpoint has none. */
export function splitIntoChunks(bytes: Uint8Array, chunkBytes: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / chunkBytes);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * chunkBytes, (i + 1) * chunkBytes));
}

/** Returns the manifest of a checkpoint. */
export function manifestOf(bytes: Uint8Array, generation: string, chunkCount: number): Manifest {
  return { format: 1, generation, chunkCount, length: bytes.length, checksum: checksum(bytes) };
}

/**
 * Checks that a stored value is a manifest. Its chunk count is bounded by its length, since no
 * chunk is empty, so loops over the chunks end.
 *
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
 * Joins chunks that are added one after the other. A missing chunk throws at once, whatever the
 * manifest claims.
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
   * Adds the next chunk.
   *
   * @throws CheckpointError with the reason `'corrupt'` if it is missing, not bytes or too long
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
   * Returns all chunks as one array.
   *
   * @throws CheckpointError with the reason `'corrupt'` if length or checksum differ from those
   *   saved
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
      this.#refuse('the checksum does not match the saved one');
    }
    return bytes;
  }

  #refuse(what: string): never {
    throw new CheckpointError('corrupt', `${this.#what}: ${what}`);
  }
}

/** Splits items into groups of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Yields the integers in [0, count) in groups of at most `size`. */
export function* indexBatches(count: number, size: number): Generator<number[]> {
  for (let first = 0; first < count; first += size) {
    yield Array.from({ length: Math.min(size, count - first) }, (_, i) => first + i);
  }
}
