/**
 * The linear memory of a runtime, and typed views of it.
 *
 * Invariant: a view is valid until memory grows. Growth detaches the views of an unshared memory,
 * and the views of a shared one do not cover the new pages. So no code keeps a view across an
 * allocation.
 */
import { UnsupportedError } from '../errors';

/** Size of a WebAssembly page, bytes. */
export const PAGE = 65_536;
/** Bytes that wasm32 can address. */
export const MAX_MEMORY_BYTES = 65_536 * PAGE;

/** The part of `WebAssembly.Memory` that LinearMemory uses. */
export interface MemorySource {
  readonly buffer: ArrayBufferLike;
  /** Grows by `pages`; throws a RangeError if the engine refuses. */
  grow(pages: number): unknown;
}

/** A memory for engines without WebAssembly: growing copies it into a new buffer. */
class PlainMemory implements MemorySource {
  buffer: ArrayBuffer = new ArrayBuffer(PAGE);

  grow(pages: number): void {
    const grown = new ArrayBuffer(this.buffer.byteLength + pages * PAGE);
    new Uint8Array(grown).set(new Uint8Array(this.buffer));
    this.buffer = grown;
  }
}

/**
 * One linear memory with its typed views. The views are fields, since asking the engine for its
 * buffer takes about 30 ns and a step reads ten of them. Therefore memory may only grow by `grow`.
 */
export class LinearMemory {
  /**
   * The memory that instances import; for the reference backend it may be a plain buffer. Only
   * `grow` may grow it.
   */
  readonly source: MemorySource;
  /** Size that memory may grow to, bytes: as requested, or less if the engine refused that. */
  readonly maximumBytes: number;
  /** Why the maximum is lower than requested; empty if it is not. */
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

  /** Returns a view of `count` float32 numbers at a byte address. */
  floats(address: number, count: number): Float32Array {
    return this.f32.subarray(address / 4, address / 4 + count);
  }

  /** Returns a view of `count` u32 at a byte address. */
  words(address: number, count: number): Uint32Array {
    return this.u32.subarray(address / 4, address / 4 + count);
  }

  /**
   * Grows by `pages`; all existing views become invalid.
   * @throws RangeError if the engine refuses
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
 * once, which engines may refuse (iOS, 32-bit systems, many memories in one page); the maximum is
 * then divided by two until the engine accepts it.
 * @throws UnsupportedError if the engine refuses even one MiB
 */
export function createMemory(
  kind: 'plain' | 'unshared' | 'shared',
  maximumBytes: number,
): LinearMemory {
  if (kind === 'plain') return new LinearMemory(new PlainMemory(), maximumBytes, false);
  const shared = kind === 'shared';
  let reason = '';
  // The binaries for threads declare an initial size of two pages.
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
        const kindOf = shared ? 'a shared' : 'an unshared';
        const what = `${kindOf} WebAssembly.Memory of at most ${maximum * PAGE} bytes`;
        const hint =
          'the address space may be limited (ulimit -v), or there may be too many memories';
        throw new UnsupportedError(`the engine refused ${what}: ${refusal}; ${hint}`, { cause });
      }
    }
  }
}
