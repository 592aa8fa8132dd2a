/**
 * The safetensors codec: its bytes, checked by hand and by a reader written apart from it, and
 * reading them back.
 */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  encodeSafetensors,
  type SafetensorsEntry,
  type SafetensorsInput,
} from '../../src/checkpoint';
import { ArgumentError, CheckpointError } from '../../src/errors';
import { caught } from '../support/errors';
import { decodeSafetensors as decodeByHand } from '../support/safetensors';
import { assemble, bytesOf } from '../support/safetensors-files';

function entry(name: string, shape: number[], values: number[]): SafetensorsEntry {
  return { name, shape, data: Float32Array.from(values) };
}

/** One of each type, narrow ones first. */
const MIXED: Record<string, SafetensorsInput> = {
  u8: { shape: [3], data: Uint8Array.of(1, 2, 255) },
  f16: { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3c00) },
  f32: { shape: [1, 3], data: Float32Array.of(-0, Number.NaN, 2 ** -149) },
  bf16: { dtype: 'BF16', shape: [], data: Uint16Array.of(0x3f80) },
  i64: { shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  f64: { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
  none: { shape: [0, 7], data: new Float64Array(0) },
};

describe('encodeSafetensors', () => {
  test('writes exactly the documented bytes', () => {
    const bytes = encodeSafetensors([entry('w', [2], [1, -2])]);
    const header = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.padEnd(56, ' ');
    const expected = [
      56,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...Buffer.from(header),
      0,
      0,
      0x80,
      0x3f,
      0,
      0,
      0,
      0xc0,
    ];
    expect([...bytes]).toEqual(expected);
    expect(encodeSafetensors({ w: entry('', [2], [1, -2]) })).toEqual(bytes);
  });

  test('keeps tensors of one width in the order given, back to back, and metadata as text', () => {
    const entries = [
      entry('b', [3], [1, 2, 3]),
      entry('10', [2, 2], [4, 5, 6, 7]),
      entry('a', [1, 0], []),
      entry('s', [], [8]),
    ];
    const { header, tensors, metadata } = decodeByHand(
      encodeSafetensors(entries, { model: '64-10', note: 'é\n"' }),
    );
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
    const { tensors } = decodeByHand(
      encodeSafetensors(names.map((name, i) => entry(name, [1], [i]))),
    );
    expect([...tensors.keys()].sort()).toEqual([...names].sort());
    expect(() => encodeSafetensors([entry('__metadata__', [1], [1])])).toThrow(ArgumentError);
  });

  test('keeps every bit of a view into a larger buffer', () => {
    const buffer = new Float32Array([9, -0, 2 ** -149, Infinity, 9]);
    const { tensors } = decodeByHand(
      encodeSafetensors([{ name: 'w', shape: [3], data: buffer.subarray(1, 4) }]),
    );
    expect(tensors.get('w')!.data).toEqual(new Float32Array([-0, 2 ** -149, Infinity]));
  });

  test('writes a file of no tensors', () => {
    expect(decodeByHand(encodeSafetensors([])).tensors.size).toBe(0);
  });

  test('with a checksum reads the same, and refuses what has changed', () => {
    const plain = encodeSafetensors(MIXED, { a: 'x' });
    const bytes = encodeSafetensors(MIXED, { a: 'x' }, { checksum: true });
    expect(decodeSafetensors(bytes)).toEqual(decodeSafetensors(plain));
    expect(decodeSafetensorsHeader(bytes).metadata.adal_checksum).toMatch(/^[0-9a-f]{16}$/);
    expect(decodeSafetensorsHeader(plain).metadata.adal_checksum).toBeUndefined();
    let unnoticed = 0;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 4;
      const error = caught(() => decodeSafetensors(changed));
      if (error) {
        expect(error).toBeInstanceOf(CheckpointError);
        continue;
      }
      // One bit may turn the key into another: then it is metadata like other metadata, all the
      // rest is as it was.
      expect(decodeSafetensors(changed).tensors).toEqual(decodeSafetensors(plain).tensors);
      unnoticed++;
    }
    expect(unnoticed).toBeLessThanOrEqual('adal_checksum'.length);
    expect(() => encodeSafetensors({}, { adal_checksum: '' })).toThrow(
      /"metadata" expected keys other than adal_checksum/,
    );
    expect(() => encodeSafetensors({}, {}, { checksums: true } as never)).toThrow(ArgumentError);
  });

  test('aligns every tensor for its elements', () => {
    const bytes = encodeSafetensors(MIXED);
    for (const { data } of Object.values(decodeSafetensors(bytes).tensors)) {
      expect(data.buffer).toBe(bytes.buffer);
    }
  });

  test.each<[string, unknown, unknown, RegExp]>([
    [
      'a shape of another size',
      [entry('w', [3], [1])],
      {},
      /"tensors\[0\]\.data" expected 3 elements \(shape \[3\]\), got 1/,
    ],
    [
      'a negative size',
      [entry('w', [-1], [1])],
      {},
      /"tensors\[0\]\.shape" expected an array of integers ≥ 0/,
    ],
    [
      'a name twice',
      [entry('w', [1], [1]), entry('w', [1], [1])],
      {},
      /"tensors\[1\]\.name" expected a name that no other tensor has/,
    ],
    [
      'no name',
      [{ shape: [0], data: new Float32Array(0) }],
      {},
      /"tensors\[0\]\.name" expected a string, got undefined/,
    ],
    [
      'an unpaired surrogate',
      { '\ud800': entry('', [0], []) },
      {},
      /expected a string without unpaired surrogates/,
    ],
    [
      'another array',
      { w: { shape: [1], data: [1] } },
      {},
      /"tensors\["w"\]\.data" expected a typed array of F64, I64, F32/,
    ],
    [
      '16 bits untold',
      { w: { shape: [1], data: Uint16Array.of(1) } },
      {},
      /\.dtype" expected 'BF16' or 'F16' for a Uint16Array/,
    ],
    [
      'another dtype',
      { w: { dtype: 'F8', shape: [1], data: Uint8Array.of(1) } },
      {},
      /\.dtype" expected one of F64, .*, got "F8"/,
    ],
    [
      'an array of another dtype',
      { w: { dtype: 'I64', shape: [1], data: Uint8Array.of(1) } },
      {},
      /expected a BigInt64Array \(I64\)/,
    ],
    ['a tensor that is none', [null], {}, /"tensors\[0\]" expected a tensor, got null/],
    ['no tensors', null, {}, /"tensors" expected a list or an object, got null/],
    ['metadata that is not text', [], { n: 1 }, /"metadata\["n"\]" expected a string, got 1/],
    ['metadata that is no object', [], null, /"metadata" expected an object of strings, got null/],
    [
      'metadata with an unpaired surrogate',
      [],
      { a: '\udc00' },
      /expected a string without unpaired surrogates/,
    ],
  ])('refuses %s', (_, tensors, metadata, message) => {
    expect(() => encodeSafetensors(tensors as never, metadata as never)).toThrow(message);
  });
});

describe('decodeSafetensors', () => {
  test('gives back every type, bit for bit', () => {
    const { tensors, metadata } = decodeSafetensors(
      encodeSafetensors(MIXED, { a: '', __proto__x: 'y' }),
    );
    expect({ ...metadata }).toEqual({ a: '', __proto__x: 'y' });
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(MIXED).sort());
    const dtypes = {
      u8: 'U8',
      f16: 'F16',
      f32: 'F32',
      bf16: 'BF16',
      i64: 'I64',
      f64: 'F64',
      none: 'F64',
    };
    for (const [name, { shape, data }] of Object.entries(MIXED)) {
      const got = tensors[name]!;
      expect([got.dtype, got.shape]).toEqual([dtypes[name as keyof typeof dtypes], shape]);
      expect(got.data.constructor).toBe(data.constructor);
      expect(bytesOf(got.data)).toEqual(bytesOf(data));
    }
  });

  test('reads what is not aligned, in the file or in memory', () => {
    const json =
      '{"c":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"w":{"dtype":"F64","shape":[1],' +
      '"data_offsets":[3,11]}}';
    const data = new Uint8Array([1, 2, 3, ...new Uint8Array(Float64Array.of(Math.E).buffer)]);
    const file = assemble(json, data);
    for (let shift = 0; shift < 8; shift++) {
      const memory = new Uint8Array(file.length + 8);
      memory.set(file, shift);
      const { tensors } = decodeSafetensors(memory.subarray(shift, shift + file.length));
      expect(tensors.w!.data).toEqual(Float64Array.of(Math.E));
      expect(tensors.c!.data).toEqual(Uint8Array.of(1, 2, 3));
    }
  });

  test('reads what is not aligned in a Buffer, whose slices share its memory', () => {
    // As Python writes it: the header is not padded.
    const json = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} ';
    const file = assemble(json, new Uint8Array(Float32Array.of(1.5, -2).buffer));
    for (let shift = 0; shift < 8; shift++) {
      const buffer = Buffer.concat([Buffer.alloc(shift), file]).subarray(shift);
      const { data } = decodeSafetensors(buffer).tensors.w!;
      expect(data).toEqual(Float32Array.of(1.5, -2));
      expect(data.constructor).toBe(Float32Array);
    }
  });

  test('reads shared memory, in a Buffer too', () => {
    const file = encodeSafetensors(MIXED, { a: 'é'.repeat(100) });
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    for (const bytes of [shared, Buffer.from(shared.buffer)]) {
      const { tensors, metadata } = decodeSafetensors(bytes);
      expect(tensors.i64!.data).toEqual(BigInt64Array.of(-1n, 2n ** 62n));
      expect(metadata.a).toBe('é'.repeat(100));
    }
  });

  test('reads and writes arrays of another realm', () => {
    const foreign = runInNewContext('new Uint8Array(file)', {
      file: [...encodeSafetensors(MIXED)],
    });
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    expect(decodeSafetensors(foreign).tensors.f64!.data).toEqual(Float64Array.of(Math.PI));
    const data = runInNewContext('new Float32Array([1, 2])');
    const bytes = encodeSafetensors({ w: { shape: [2], data } });
    expect(decodeSafetensors(bytes).tensors.w!.data).toEqual(Float32Array.of(1, 2));
  });

  test('takes names that objects know for names like others', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const { tensors, metadata } = decodeSafetensors(
      assemble(`{"__metadata__":{"__proto__":"x"},${names.map(field).join(',')}}`, 4),
    );
    expect(Object.keys(tensors)).toEqual(names);
    expect(Object.getPrototypeOf(tensors)).toBeNull();
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
    expect(tensors.missing).toBeUndefined();
    expect(Object.keys(decodeSafetensors(encodeSafetensors(tensors, metadata)).tensors)).toEqual(
      names,
    );
    function field(name: string, i: number): string {
      return `"${name}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`;
    }
  });

  test('reads what the reference reader reads: any order, spaces, escapes, unknown fields', () => {
    const b = '{"data_offsets":[4,8],"shape":[1],"dtype":"F32","note":[null,{"x":-1.5e3}]}';
    const json = `{ "b" : ${b},\t"\\u0061":
      {"dtype":"F32","shape":[1],"data_offsets":[0,4]}\r\n}   `;
    const { tensors, metadata } = decodeSafetensors(
      assemble(json, new Uint8Array(Float32Array.of(1, 2).buffer)),
    );
    expect(
      Object.entries(tensors).map(([name, { data }]) => [name, ...(data as Float32Array)]),
    ).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(Object.keys(metadata)).toEqual([]);
  });

  test('refuses what is no Uint8Array', () => {
    expect(() => decodeSafetensors(new ArrayBuffer(8) as never)).toThrow(ArgumentError);
  });
});
