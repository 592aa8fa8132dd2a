/** The allocator: aligned, zeroed, disjoint, merged, bounded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutOfMemoryError } from '../../src/errors';
import { Arena } from '../../src/runtime/arena';
import {
  createMemory,
  LinearMemory,
  MAX_MEMORY_BYTES,
  type MemorySource,
  PAGE,
} from '../../src/runtime/memory';
import { caught } from '../support/errors';

function createArena(pages = 100, kind: 'plain' | 'unshared' | 'shared' = 'plain'): Arena {
  return new Arena(createMemory(kind, pages * PAGE));
}

function bytesAt(arena: Arena, address: number, length: number): Uint8Array {
  return new Uint8Array(arena.memory.buffer, address, length);
}

describe.each(['plain', 'unshared', 'shared'] as const)('%s memory', (kind) => {
  it('hands out aligned, zeroed memory, never address 0', () => {
    const arena = createArena(100, kind);
    const addresses = [0, 1, 63, 64, 65, 1000, 100_000].map((bytes) => arena.allocate(bytes));
    for (const address of addresses) expect(address % 64).toBe(0);
    expect(Math.min(...addresses)).toBe(64);
    expect(arena.usedBytes).toBe(64 + 64 + 64 + 64 + 128 + 1024 + 100_032);
    expect(bytesAt(arena, 64, 100_000).every((byte) => byte === 0)).toBe(true);
  });

  it('zeroes what is released, for the next tenant', () => {
    const arena = createArena(100, kind);
    const first = arena.allocate(1000);
    arena.allocate(64);
    bytesAt(arena, first, 1024).fill(0xff);
    arena.release(first);
    const second = arena.allocate(500);
    expect(second).toBe(first);
    expect(bytesAt(arena, second, 512).every((byte) => byte === 0)).toBe(true);
  });

  it('zeroes what is released at the top too', () => {
    const arena = createArena(100, kind);
    const first = arena.allocate(1000);
    bytesAt(arena, first, 1024).fill(0xff);
    arena.release(first);
    expect(arena.allocate(2000)).toBe(first);
    expect(bytesAt(arena, first, 2048).every((byte) => byte === 0)).toBe(true);
  });

  it('grows when needed, keeping what is there', () => {
    const arena = createArena(100, kind);
    const before = arena.memory.byteLength;
    const small = arena.allocate(64);
    arena.memory.f32[small / 4] = 1.5;
    const big = arena.allocate(20 * PAGE);
    expect(arena.memory.byteLength).toBeGreaterThan(before);
    expect(arena.memory.byteLength).toBeGreaterThanOrEqual(big + 20 * PAGE);
    expect(arena.memory.f32[small / 4]).toBe(1.5);
    expect(arena.memory.f64.length * 8).toBe(arena.memory.byteLength);
    expect(arena.memory.u32.buffer).toBe(arena.memory.i32.buffer);
    arena.memory.f32[(big + 20 * PAGE) / 4 - 1] = 2;
    expect(bytesAt(arena, big + 20 * PAGE - 4, 4)[3]).toBe(0x40);
  });

  it('refuses more than the maximum, names bytes, and changes nothing', () => {
    const arena = createArena(10, kind);
    arena.allocate(PAGE);
    const { usedBytes, availableBytes } = arena;
    const error = caught(() => arena.allocate(10 * PAGE));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ wanted: 10 * PAGE, available: 9 * PAGE - 64 });
    expect((error as Error).message).toContain(`of at most ${10 * PAGE}`);
    expect([arena.usedBytes, arena.availableBytes]).toEqual([usedBytes, availableBytes]);
    const rest = arena.allocate(9 * PAGE - 64);
    expect(arena.availableBytes).toBe(0);
    expect(() => arena.allocate(1)).toThrow(OutOfMemoryError);
    arena.release(rest);
    expect(arena.availableBytes).toBe(availableBytes);
  });
});

describe('holes', () => {
  it('are reused first fit, split, and merged with both neighbours', () => {
    const arena = createArena();
    const [a, b, c, d] = [256, 256, 256, 64].map((bytes) => arena.allocate(bytes));
    arena.release(a);
    arena.release(c);
    expect(arena.allocate(512), 'too large for either hole').toBeGreaterThan(d);
    arena.release(b);
    expect(arena.allocate(768), 'three holes are one').toBe(a);
    arena.release(a);
    expect(arena.allocate(64)).toBe(a);
    expect(arena.allocate(64)).toBe(a + 64);
    expect(arena.allocate(640)).toBe(a + 128);
  });

  it('count as available', () => {
    const arena = createArena(2);
    const a = arena.allocate(PAGE);
    arena.allocate(arena.availableBytes);
    expect(arena.availableBytes).toBe(0);
    arena.release(a);
    expect(arena.availableBytes).toBe(PAGE);
    expect(arena.allocate(PAGE)).toBe(a);
  });

  it('cannot be released twice, nor what was never handed out', () => {
    const arena = createArena();
    const a = arena.allocate(128);
    expect(() => arena.release(a + 64)).toThrow(RangeError);
    expect(() => arena.release(0)).toThrow(RangeError);
    arena.release(a);
    expect(() => arena.release(a)).toThrow(RangeError);
    expect(arena.usedBytes).toBe(0);
  });
});

describe('any sequence of allocations and releases', () => {
  type Action = { bytes: number } | { release: number };
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.record({ bytes: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({ release: fc.nat() }),
  );

  it('never overlaps, keeps contents, counts right, and returns to the top', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const arena = createArena(40);
        const live: { address: number; size: number; mark: number }[] = [];
        for (const [index, step] of actions.entries()) {
          if ('bytes' in step) {
            const size = Math.max(64, Math.ceil(step.bytes / 64) * 64);
            const address = arena.allocate(step.bytes);
            expect(address % 64).toBe(0);
            expect(address).toBeGreaterThanOrEqual(64);
            for (const other of live)
              expect(address >= other.address + other.size || other.address >= address + size).toBe(
                true,
              );
            const bytes = bytesAt(arena, address, size);
            expect(bytes.every((byte) => byte === 0)).toBe(true);
            const mark = (index % 255) + 1;
            bytes.fill(mark);
            live.push({ address, size, mark });
          } else if (live.length > 0) {
            const [{ address, size, mark }] = live.splice(step.release % live.length, 1);
            expect(bytesAt(arena, address, size).every((byte) => byte === mark)).toBe(true);
            arena.release(address);
          }
          expect(arena.usedBytes).toBe(live.reduce((sum, { size }) => sum + size, 0));
        }
        for (const { address } of live) arena.release(address);
        expect(arena.usedBytes).toBe(0);
        expect(arena.availableBytes).toBe(40 * PAGE - 64);
        expect(arena.allocate(40 * PAGE - 64)).toBe(64);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the edges', () => {
  it('an engine that refuses to grow is out of memory, with its error as cause', () => {
    const refusal = new RangeError('Maximum memory size exceeded');
    const source: MemorySource = {
      buffer: new ArrayBuffer(2 * PAGE),
      grow() {
        throw refusal;
      },
    };
    const arena = new Arena(new LinearMemory(source, 100 * PAGE, false));
    const a = arena.allocate(PAGE);
    const error = expect.objectContaining({
      wanted: 5 * PAGE,
      available: PAGE - 64,
      cause: refusal,
    });
    expect(() => arena.allocate(5 * PAGE)).toThrow(error);
    expect(arena.usedBytes).toBe(PAGE);
    arena.release(a);
    expect(arena.allocate(2 * PAGE - 64)).toBe(64);
  });

  it('the last 64 bytes below 4 GiB are never handed out, so that end pointers fit 32 bits', () => {
    const source = { buffer: new ArrayBuffer(0), pages: 0 };
    const huge = {
      get buffer() {
        return source.buffer;
      },
      grow(pages: number) {
        source.pages += pages;
        // Pretends to the size: nothing here reads the contents.
        source.buffer = { byteLength: source.pages * PAGE } as ArrayBuffer;
      },
    };
    const memory = new LinearMemory(huge, MAX_MEMORY_BYTES, false);
    // Views over a pretended buffer cannot be made; the arena itself needs none to allocate.
    Object.defineProperty(memory, 'byteLength', { get: () => source.pages * PAGE });
    const arena = new Arena(memory);
    expect(arena.availableBytes).toBe(MAX_MEMORY_BYTES - 128);
    const address = arena.allocate(MAX_MEMORY_BYTES - 128);
    expect(address + MAX_MEMORY_BYTES - 128).toBe(2 ** 32 - 64);
    expect(() => arena.allocate(64)).toThrow(OutOfMemoryError);
  });
});
