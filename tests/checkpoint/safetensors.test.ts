/** The safetensors writer: its bytes, read back by hand. */
import { describe, expect, test } from 'vitest';
import { encodeSafetensors, type SafetensorsEntry } from '../../src/checkpoint/safetensors';
import { ArgumentError } from '../../src/errors';
import { decodeSafetensors } from '../support/safetensors';

function entry(name: string, shape: number[], values: number[]): SafetensorsEntry {
  return { name, shape, data: Float32Array.from(values) };
}

describe('encodeSafetensors', () => {
  test('writes exactly the documented bytes', () => {
    const bytes = encodeSafetensors([entry('w', [2], [1, -2])]);
    const header = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.padEnd(56, ' ');
    const expected = [56, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(header), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
    expect([...bytes]).toEqual(expected);
  });

  test('keeps tensors in the order given, back to back, and metadata as text', () => {
    const entries = [entry('b', [3], [1, 2, 3]), entry('10', [2, 2], [4, 5, 6, 7]), entry('a', [1, 0], []), entry('s', [], [8])];
    const { header, tensors, metadata } = decodeSafetensors(encodeSafetensors(entries, { model: '64-10', note: 'é\n"' }));
    expect(Buffer.byteLength(header) % 8).toBe(0);
    expect(metadata).toEqual({ model: '64-10', note: 'é\n"' });
    expect(header.indexOf('"b"')).toBeLessThan(header.indexOf('"10"'));
    for (const { name, shape, data } of entries) {
      expect(tensors.get(name)!.shape).toEqual(shape);
      expect(tensors.get(name)!.data).toEqual(data);
    }
  });

  test('takes any string as a name but __metadata__', () => {
    const names = ['__proto__', 'constructor', '', 'a/b', '日本', '"\\'];
    const { tensors } = decodeSafetensors(encodeSafetensors(names.map((name, i) => entry(name, [1], [i]))));
    expect([...tensors.keys()].sort()).toEqual([...names].sort());
    expect(() => encodeSafetensors([entry('__metadata__', [1], [1])])).toThrow(ArgumentError);
  });

  test('keeps every bit of a view into a larger buffer', () => {
    const buffer = new Float32Array([9, -0, 2 ** -149, Infinity, 9]);
    const { tensors } = decodeSafetensors(encodeSafetensors([{ name: 'w', shape: [3], data: buffer.subarray(1, 4) }]));
    expect(tensors.get('w')!.data).toEqual(new Float32Array([-0, 2 ** -149, Infinity]));
  });

  test('writes a file of no tensors', () => {
    expect(decodeSafetensors(encodeSafetensors([])).tensors.size).toBe(0);
  });

  test.each<[string, SafetensorsEntry[], Record<string, string>, RegExp]>([
    ['a shape of another size', [entry('w', [3], [1])], {}, /"tensors\[0\]\.data" expected 3 elements \(shape \[3\]\), got 1/],
    ['a negative size', [entry('w', [-1], [1])], {}, /"tensors\[0\]\.shape" expected an array of integers ≥ 0/],
    ['a name twice', [entry('w', [1], [1]), entry('w', [1], [1])], {}, /"tensors\[1\]\.name" expected a name other than/],
    ['another type', [{ name: 'w', shape: [1], data: [1] as never }], {}, /"tensors\[0\]\.data" expected a Float32Array/],
    ['metadata that is not text', [], { n: 1 as never }, /"metadata\["n"\]" expected a string, got 1/],
  ])('refuses %s', (_, tensors, metadata, message) => {
    expect(() => encodeSafetensors(tensors, metadata)).toThrow(message);
  });
});
