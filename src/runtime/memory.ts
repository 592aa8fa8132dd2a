/**
 * The linear memory under everything, and the views over it.
 *
 * Invariant: a view taken from here is valid until memory grows. Growth detaches the views of an
 * unshared memory and leaves those of a shared one short, so nobody keeps one across an allocation:
 * ask again.
 */
import { UnsupportedError } from '../errors';

/** Bytes of one WebAssembly page. */
export const PAGE = 65_536;
/** What wasm32 can address. */
export const MAX_MEMORY_BYTES = 65_536 * PAGE;

/** What LinearMemory needs of a memory; `WebAssembly.Memory` is one. */
export interface MemorySource {
  readonly buffer: ArrayBufferLike;
  /** Grows by `pages`; throws a RangeError when refused. */
  grow(pages: number): unknown;
}

/** A memory where there is no WebAssembly: growth copies into a new buffer. */
class PlainMemory implements MemorySource {
  buffer: ArrayBuffer = new ArrayBuffer(PAGE);

  grow(pages: number): void {
    const grown = new ArrayBuffer(this.buffer.byteLength + pages * PAGE);
    new Uint8Array(grown).set(new Uint8Array(this.buffer));
    this.buffer = grown;
  }
}

/**
 * One linear memory with its typed views. They are fields and not getters that ask the engine for
 * its buffer, which takes some 30 ns a time: a step looks at ten. So memory grows by `grow` alone.
 */
export class LinearMemory {
  /**
   * The memory to import into instances; for the oracle alone it may be a plain buffer. Grow it by
   * `grow`.
   */
  readonly source: MemorySource;
  /** Bytes that memory may reach: what was asked for, or less where the engine refused. */
  readonly maximumBytes: number;
  /** Why not what was asked for; empty when it is. */
  readonly maximumReason: string;
  readonly shared: boolean;
  buffer!: ArrayBufferLike;
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  u64!: BigUint64Array;

  constructor(source: MemorySource, maximumBytes: number, shared: boolean, maximumReason = '') {
    this.source = source;
    this.maximumBytes = maximumBytes;
    this.maximumReason = maximumReason;
    this.shared = shared;
    this.#derive();
  }

  get byteLength(): number {
    return this.buffer.byteLength;
  }

  /**
   * Grows by `pages`; every view made before is invalid then. @throws RangeError when the engine
   * refuses
   */
  grow(pages: number): void {
    this.source.grow(pages);
    this.#derive();
  }

  #derive(): void {
    const { buffer } = this.source;
    this.buffer = buffer;
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
  }
}

/**
 * Creates a memory that may grow up to `maximumBytes`. A shared memory must reserve its maximum at
 * once, which engines may refuse (iOS, 32-bit systems, many memories in one page); it is then
 * halved until the engine agrees.
 * @throws UnsupportedError when even one MiB is refused
 */
export function createMemory(
  kind: 'plain' | 'unshared' | 'shared',
  maximumBytes: number,
): LinearMemory {
  if (kind === 'plain') return new LinearMemory(new PlainMemory(), maximumBytes, false);
  const shared = kind === 'shared';
  let reason = '';
  // Two pages is what the threaded binaries declare as their initial size.
  for (
    let maximum = Math.max(2, Math.floor(maximumBytes / PAGE));
    ;
    maximum = Math.floor(maximum / 2)
  ) {
    try {
      const memory = new WebAssembly.Memory({ initial: 2, maximum, shared });
      return new LinearMemory(memory, maximum * PAGE, shared, reason);
    } catch (cause) {
      const refusal = cause instanceof Error ? cause.message : 'no reason was given';
      reason ||= `the engine refused a maximum of ${maximum * PAGE} bytes: ${refusal}`;
      if (maximum <= 16) {
        const what = `${shared ? 'a shared' : 'an unshared'} WebAssembly.Memory of at most ${maximum * PAGE} bytes`;
        const hint =
          'the address space may be limited (ulimit -v), or there may be too many memories';
        throw new UnsupportedError(`the engine refused ${what}: ${refusal}; ${hint}`, { cause });
      }
    }
  }
}
