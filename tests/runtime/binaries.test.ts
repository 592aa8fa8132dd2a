/**
 * The shipped binaries: nothing in them but code over one imported memory, so that instances can
 * share it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import inlinedRelaxedSimd from '../../build/nn.relaxed.simd.js';
import inlinedRelaxedThreads from '../../build/nn.relaxed.threads.js';
import inlinedNNSimd from '../../build/nn.simd.js';
import inlinedNNThreads from '../../build/nn.threads.js';
import inlinedOptimSimd from '../../build/optim.simd.js';
import inlinedOptimThreads from '../../build/optim.threads.js';
import { hasRelaxedSimd } from '../../src/runtime/features';

const INLINED = {
  'optim.simd': inlinedOptimSimd,
  'optim.threads': inlinedOptimThreads,
  'nn.simd': inlinedNNSimd,
  'nn.threads': inlinedNNThreads,
  'nn.relaxed.simd': inlinedRelaxedSimd,
  'nn.relaxed.threads': inlinedRelaxedThreads,
};
type Name = keyof typeof INLINED;

const SECTION = { custom: 0, import: 2, memory: 5, global: 6, start: 8, data: 11, dataCount: 12 };

function read(name: Name): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url)));
}

/** An unsigned LEB128 number: its value and where it ends. */
function leb(bytes: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

/** Section ids with the section's bytes, in order. */
function sections(bytes: Uint8Array): { id: number; content: Uint8Array }[] {
  const found: { id: number; content: Uint8Array }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [size, start] = leb(bytes, at + 1);
    found.push({ id, content: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return found;
}

/** Engines without relaxed SIMD cannot compile those that use it. */
const COMPILABLE = (Object.keys(INLINED) as Name[]).filter(
  (name) => hasRelaxedSimd() || !name.includes('relaxed'),
);

describe.each(COMPILABLE)('%s.wasm', (name) => {
  const bytes = read(name);
  const module = new WebAssembly.Module(bytes);
  const shared = name.endsWith('threads');

  it('is WebAssembly, read to its end by the parser here', () => {
    expect([...bytes.subarray(0, 8)]).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const found = sections(bytes);
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([1, 2, 3, 7, 10]));
    expect(found.at(-1)!.content.byteOffset + found.at(-1)!.content.length).toBe(
      bytes.byteOffset + bytes.length,
    );
  });

  it('has no data segments, no start function, no memory of its own', () => {
    const ids = sections(bytes).map(({ id }) => id);
    for (const section of ['data', 'dataCount', 'start', 'memory'] as const)
      expect(ids, section).not.toContain(SECTION[section]);
  });

  it('has no mutable globals: kernels keep no state', () => {
    for (const { id, content } of sections(bytes)) {
      if (id !== SECTION.global) continue;
      let [count, at] = leb(content, 0);
      for (; count > 0; count--) {
        expect(content[at + 1], 'mutability').toBe(0);
        // Skip the constant expression: i32.const/i64.const leb, f32.const 4 bytes, f64.const 8
        // bytes; then `end`.
        const opcode = content[at + 2];
        at = opcode === 0x43 ? at + 7 : opcode === 0x44 ? at + 11 : leb(content, at + 3)[1];
        expect(content[at++]).toBe(0x0b);
      }
    }
  });

  it('imports memory and nothing else', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([
      { module: 'env', name: 'memory', kind: 'memory' },
    ]);
    const [{ content }] = sections(bytes).filter(({ id }) => id === SECTION.import);
    // 1 import: "env" "memory", kind 2, limits flags: 3 = shared with a maximum, else 0.
    const flags = content[1 + 4 + 7 + 1];
    expect(flags).toBe(shared ? 3 : 0);
  });

  it('takes memory of its own kind only', () => {
    const memory = (isShared: boolean) =>
      new WebAssembly.Memory({ initial: 2, maximum: 4, shared: isShared });
    expect(
      () => new WebAssembly.Instance(module, { env: { memory: memory(shared) } }),
    ).not.toThrow();
    expect(() => new WebAssembly.Instance(module, { env: { memory: memory(!shared) } })).toThrow(
      WebAssembly.LinkError,
    );
  });

  it('writes nothing when instantiated: a second instance disturbs no live data', () => {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared });
    const view = new Uint8Array(memory.buffer).fill(0xa5);
    new WebAssembly.Instance(module, { env: { memory } });
    expect(view.every((byte) => byte === 0xa5)).toBe(true);
  });

  it('is what the package carries inlined', () => {
    expect(Buffer.from(INLINED[name], 'hex').equals(Buffer.from(bytes))).toBe(true);
  });
});

it('the threaded modules add the job protocol, and nothing else differs in the ABI', () => {
  const functions = (name: Name) =>
    WebAssembly.Module.exports(new WebAssembly.Module(read(name)))
      .filter(({ kind }) => kind === 'function')
      .map((entry) => entry.name);
  const simd = functions('optim.simd');
  expect(simd.sort()).toEqual([
    'combine',
    'gatherRows',
    'halve',
    'scatterRows',
    'step',
    'stepAdvance',
    'stepTasks',
  ]);
  expect(functions('optim.threads')).toEqual(expect.arrayContaining(simd));
  const added = functions('optim.threads').filter((name) => !simd.includes(name));
  expect(added.sort()).toEqual([
    'stepBegin',
    'stepComplete',
    'stepHelp',
    'stepServe',
    'stepShared',
  ]);
  const kernels = functions('nn.simd');
  expect(functions('nn.threads')).toEqual(expect.arrayContaining(kernels));
  const shared = functions('nn.threads').filter((name) => !kernels.includes(name));
  expect(shared.sort()).toEqual(['nnBegin', 'nnComplete', 'nnHelp', 'nnServe', 'nnShared']);
  for (const variant of hasRelaxedSimd() ? (['simd', 'threads'] as const) : []) {
    expect(functions(`nn.relaxed.${variant}`)).toEqual(functions(`nn.${variant}`));
  }
});

it('exact binaries have no relaxed instruction, whose result would depend on the CPU', () => {
  const withoutRelaxed = (name: Name) =>
    !readFileSync(new URL(`../../build/${name}.wat`, import.meta.url), 'utf8').includes('relaxed');
  expect((Object.keys(INLINED) as Name[]).filter(withoutRelaxed)).toEqual([
    'optim.simd',
    'optim.threads',
    'nn.simd',
    'nn.threads',
  ]);
});
