/** Linear memory: maxima that engines refuse, and views that follow growth. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UnsupportedError } from '../../src/errors';
import { createMemory, MAX_MEMORY_BYTES, PAGE } from '../../src/runtime/memory';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** An engine that refuses maxima above `most` pages; returns what it was asked for. */
function refuseAbove(most: number): number[] {
  const asked: number[] = [];
  const Real = WebAssembly.Memory;
  class Memory extends Real {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      asked.push(descriptor.maximum as number);
      if ((descriptor.maximum as number) > most) throw new RangeError('could not allocate memory');
      super(descriptor);
    }
  }
  vi.stubGlobal('WebAssembly', { ...wasm(), Memory });
  return asked;
}

/** The properties of WebAssembly, which are not enumerable. */
function wasm(): typeof WebAssembly {
  const names = Object.getOwnPropertyNames(WebAssembly) as (keyof typeof WebAssembly)[];
  return Object.fromEntries(
    names.map((name) => [name, WebAssembly[name]]),
  ) as unknown as typeof WebAssembly;
}

describe.each(['shared', 'unshared'] as const)('%s', (kind) => {
  it('gets the maximum asked for, and starts small', () => {
    const memory = createMemory(kind, 100 * PAGE);
    expect(memory.maximumBytes).toBe(100 * PAGE);
    expect(memory.maximumReason).toBe('');
    expect(memory.byteLength).toBe(2 * PAGE);
    expect(memory.shared).toBe(kind === 'shared');
    expect(memory.buffer instanceof SharedArrayBuffer).toBe(kind === 'shared');
  });

  it('halves a maximum that the engine refuses until it agrees', () => {
    const asked = refuseAbove(5000);
    const memory = createMemory(kind, MAX_MEMORY_BYTES);
    expect(asked).toEqual([65_536, 32_768, 16_384, 8192, 4096]);
    expect(memory.maximumBytes).toBe(4096 * PAGE);
    expect(memory.maximumReason).toBe(
      'the engine refused a maximum of 4294967296 bytes: could not allocate memory',
    );
    expect(() => memory.grow(4096)).toThrow(RangeError);
  });

  it('gives up below one MiB, saying why', () => {
    const asked = refuseAbove(0);
    const attempt = () => createMemory(kind, MAX_MEMORY_BYTES);
    expect(attempt).toThrow(UnsupportedError);
    expect(asked.at(-1)).toBe(16);
    expect(attempt).toThrow(
      expect.objectContaining({ cause: expect.any(RangeError), code: 'ERR_UNSUPPORTED' }),
    );
  });

  it('views are the same until growth, and right after it', () => {
    const memory = createMemory(kind, 100 * PAGE);
    const { f32, f64, i32, u32, buffer } = memory;
    expect([memory.f32, memory.f64, memory.i32, memory.u32]).toEqual([f32, f64, i32, u32]);
    expect(memory.f32).toBe(f32);
    f32[100] = 7;
    memory.grow(3);
    expect(memory.buffer).not.toBe(buffer);
    expect(memory.f32[100]).toBe(7);
    for (const view of [memory.f32, memory.f64, memory.i32, memory.u32]) {
      expect(view.buffer).toBe(memory.buffer);
      expect(view.byteLength).toBe(5 * PAGE);
    }
    if (kind === 'unshared') expect(f32.length).toBe(0);
  });
});

it('a plain memory grows by copying', () => {
  const memory = createMemory('plain', 100 * PAGE);
  memory.u32[5] = 9;
  memory.grow(4);
  expect(memory.byteLength).toBe(5 * PAGE);
  expect(memory.u32[5]).toBe(9);
  expect(memory.shared).toBe(false);
});
