/** Arrays from another realm, as iframes and vm contexts make them, are arrays. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, f16ToF32, f32ToF16 } from '../../src/checkpoint';
import { parseIdx } from '../../src/data';
import { Adam, createRuntime } from '../../src/index';
import {
  describe as describeValue,
  isFloat32Array,
  isInt32Array,
  isRegExp,
  isSharedArrayBuffer,
  isTypedArray,
  isUint8Array,
  typedArrayName,
} from '../../src/validate';
import { idxBytes } from './idx-file';

/** Runs code in a realm of its own: what it returns is no instance of any class here. */
const foreign = <T>(code: string, names: object = {}): T => runInNewContext(code, names) as T;

describe('typed arrays of another realm', () => {
  it('are recognised by what they are', () => {
    for (const name of [
      'Float32Array',
      'Int32Array',
      'Uint8Array',
      'Uint16Array',
      'Float64Array',
      'BigInt64Array',
    ] as const) {
      const array = foreign(`new ${name}(3)`);
      expect(typedArrayName(array)).toBe(name);
      expect(isTypedArray(name, array)).toBe(true);
      expect(describeValue(array)).toBe(`${name}(3)`);
    }
    expect(isFloat32Array(foreign('new Float32Array(1)'))).toBe(true);
    expect(isInt32Array(foreign('new Int32Array(1)'))).toBe(true);
    expect(isUint8Array(foreign('new Uint8Array(1)'))).toBe(true);
    expect(isUint8Array(Buffer.alloc(1))).toBe(true);
    expect(isSharedArrayBuffer(foreign('new SharedArrayBuffer(1)'))).toBe(true);
    expect(isRegExp(foreign('/a/'))).toBe(true);
  });

  it('are not confused with what only looks like them', () => {
    const impostors = [
      null,
      undefined,
      5,
      'Float32Array',
      [],
      {},
      new DataView(new ArrayBuffer(4)),
      new Float64Array(1),
      { [Symbol.toStringTag]: 'Float32Array' },
      Object.create(Float32Array.prototype),
    ];
    for (const value of impostors) expect(isFloat32Array(value)).toBe(false);
  });

  it('are taken by readers and writers of files', () => {
    const bytes = foreign<Uint8Array>('Uint8Array.from(bytes)', { bytes: idxBytes([2], [7, 8]) });
    expect([...parseIdx(bytes).data]).toEqual([7, 8]);
    const file = encodeSafetensors({ w: { shape: [2], data: foreign('Float32Array.of(1, 2)') } });
    const copy = foreign<Uint8Array>('Uint8Array.from(bytes)', { bytes: file });
    expect([...(decodeSafetensors(copy).tensors.w.data as Float32Array)]).toEqual([1, 2]);
    expect([...f16ToF32(f32ToF16(foreign('Float32Array.of(0.5)')))]).toEqual([0.5]);
  });

  it('are taken as parameters and by state dicts', async () => {
    const runtime = await createRuntime({ backend: 'oracle' });
    const groups = [{ params: { w: foreign<Float32Array>('Float32Array.of(1, 2)') } }];
    const optimizer = new Adam(runtime, groups);
    const dict = optimizer.stateDict();
    const m = dict.state.w.arrays.exp_avg as Float32Array;
    const moved = foreign<Float32Array>('Float32Array.from(m)', { m: m.map((_, i) => i + 1) });
    optimizer.loadStateDict({
      ...dict,
      state: { w: { ...dict.state.w, arrays: { ...dict.state.w.arrays, exp_avg: moved } } },
    });
    expect([...(optimizer.stateDict().state.w.arrays.exp_avg as Float32Array)]).toEqual([1, 2]);
    optimizer.dispose();
    runtime.dispose();
  });
});

describe('values in messages', () => {
  it('are short, also when an array holds itself', () => {
    const cyclic: unknown[] = [1];
    cyclic.push(cyclic);
    expect(describeValue(cyclic)).toBe('[1, [1, [1, an array of 2]]]');
    expect(describeValue([[1, 2], 'a'])).toBe('[[1, 2], "a"]');
  });
});
