/**
 * The three implementations of the nn kernels, each over a memory of its own that is filled alike
 * and compared bit by bit.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { NN_FAMILIES } from '../../build/nn-families';
import type { NNKernels } from '../../src/runtime/kernels-nn';
import { LinearMemory } from '../../src/runtime/memory';
import { createReferenceNN } from '../../src/runtime/reference/nn';

const PAGE = 65_536;
/** Bytes of guard on either side of every buffer. */
const GUARD = 64;
const GUARD_WORD = 0x7e57ab1e;

interface Implementation {
  readonly name: string;
  readonly memory: LinearMemory;
  readonly kernels: NNKernels;
}

function shipped(variant: 'simd' | 'threads', pages: number): Implementation {
  const shared = variant === 'threads';
  const memory = new WebAssembly.Memory({ initial: 2, maximum: pages, shared });
  memory.grow(pages - 2);
  const exported = ['nn', ...NN_FAMILIES.map((family) => `nn-${family}`)].map((name) => {
    const bytes = readFileSync(new URL(`../../build/${name}.${variant}.wasm`, import.meta.url));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
  });
  const kernels = Object.assign({}, ...exported) as NNKernels;
  return { name: variant, memory: new LinearMemory(memory, pages * PAGE, shared), kernels };
}

function reference(pages: number): Implementation {
  const memory = new LinearMemory(
    new WebAssembly.Memory({ initial: pages, maximum: pages }),
    pages * PAGE,
    false,
  );
  return { name: 'reference', memory, kernels: createReferenceNN(memory) };
}

/** A buffer of a Bench: its address, and its elements with padding. */
export interface Buffer {
  readonly address: number;
  readonly elements: number;
}

/**
 * All implementations side by side. Buffers are laid out at the same addresses in each, between
 * guard words; `run` does the same in each, then compares the bits of all of memory, so that a
 * stray write anywhere shows.
 */
export class Bench {
  readonly #all: Implementation[];
  #end = 4 * GUARD;

  constructor(pages = 64) {
    this.#all = [reference(pages), shipped('simd', pages), shipped('threads', pages)];
  }

  /** Forgets all buffers. */
  reset(): void {
    for (const { memory } of this.#all) memory.u32.fill(0, 0, this.#end / 4);
    this.#end = 4 * GUARD;
  }

  /**
   * A zero-padded buffer of n elements holding `values`, which are f32 or i32 as their array is.
   */
  buffer(n: number, values: Float32Array | Int32Array = new Float32Array(n)): Buffer {
    const elements = Math.ceil(n / 16) * 16;
    const address = this.#end + GUARD;
    this.#end = address + elements * 4 + GUARD;
    for (const { memory } of this.#all) {
      memory.u32.fill(GUARD_WORD, address / 4 - 16, address / 4);
      memory.u32.fill(GUARD_WORD, address / 4 + elements, this.#end / 4);
      (values instanceof Int32Array ? memory.i32 : memory.f32).set(values, address / 4);
    }
    return { address, elements };
  }

  /** Scratch: not compared. */
  scratch(bytes: number): Buffer {
    return this.buffer(bytes / 4);
  }

  /**
   * Runs `call` on all; expects equal results and memories, `ignored` apart. Returns the result.
   */
  run(call: (kernels: NNKernels) => unknown, ignored?: Buffer): number {
    const [expected, ...others] = this.#all.map(({ name, memory, kernels }) => {
      const result = call(kernels);
      if (ignored) memory.u32.fill(0, ignored.address / 4, ignored.address / 4 + ignored.elements);
      return { name, result, words: canonical(memory, this.#end) };
    });
    for (const { name, result, words } of others) {
      if (!Object.is(result, expected!.result))
        expect(`${name}: ${result}`).toBe(`${expected!.result}`);
      const place = words.findIndex((word, i) => word !== expected!.words[i]);
      if (place >= 0) {
        const shown = `${name} at byte ${place * 4}: ${hex(words[place]!)}`;
        expect(shown).toBe(`reference: ${hex(expected!.words[place]!)}`);
      }
    }
    return expected!.result as number;
  }

  /**
   * What all implementations hold in the first n elements of a buffer, after `run` found them
   * equal.
   */
  read(buffer: Buffer, n: number): Float32Array {
    return this.#all[1]!.memory.f32.slice(buffer.address / 4, buffer.address / 4 + n);
  }

  readInts(buffer: Buffer, n: number): Int32Array {
    return this.#all[1]!.memory.i32.slice(buffer.address / 4, buffer.address / 4 + n);
  }

  /** Expects zero bits between n and the end of a buffer, and its guards in place. */
  expectTidy(buffer: Buffer, n: number): void {
    for (const { name, memory } of this.#all) {
      const start = buffer.address / 4;
      const padding = memory.u32.subarray(start + n, start + buffer.elements);
      const before = memory.u32.subarray(start - 16, start);
      const after = memory.u32.subarray(start + buffer.elements, start + buffer.elements + 16);
      expect(
        padding.every((word) => word === 0),
        `${name}: padding`,
      ).toBe(true);
      expect(
        [...before, ...after].every((word) => word === GUARD_WORD),
        `${name}: guards`,
      ).toBe(true);
    }
  }
}

/** Memory as words, every NaN replaced by one: payloads are outside the promise. */
function canonical(memory: LinearMemory, bytes: number): Uint32Array {
  const words = memory.u32.slice(0, bytes / 4);
  for (let i = 0; i < words.length; ++i)
    if ((words[i]! & 0x7fffffff) > 0x7f800000) words[i] = 0x7fc00000;
  return words;
}

function hex(word: number): string {
  return `0x${word.toString(16)}`;
}
