/** Headers read by themselves: of files with any element type, and larger than memory. */
import { describe, expect, test } from 'vitest';
import {
  decodeSafetensors,
  decodeSafetensorsHeader,
  encodeSafetensors,
  safetensorsHeaderEnd,
} from '../../src/checkpoint';
import { ELEMENT_BITS } from '../../src/checkpoint/safetensors-header';
import { ArgumentError, CheckpointError } from '../../src/errors';
import { caught } from '../support/errors';
import { assemble } from '../support/safetensors-files';

/** A header of one tensor, and how long its file is. */
function fileOf(
  dtype: string,
  shape: number[],
  bytes: number,
): [start: Uint8Array, fileBytes: number] {
  const start = assemble(JSON.stringify({ w: { dtype, shape, data_offsets: [0, bytes] } }));
  return [start, start.length + bytes];
}

describe('decodeSafetensorsHeader', () => {
  test('says of a file what decodeSafetensors says', () => {
    const file = encodeSafetensors(
      {
        w: { shape: [2, 3], data: new Float32Array(6) },
        b: { shape: [], data: new Float64Array(1) },
      },
      { note: 'x' },
    );
    const { tensors, metadata, dataStart } = decodeSafetensorsHeader(file);
    expect(Object.keys(tensors)).toEqual(Object.keys(decodeSafetensors(file).tensors));
    expect({ ...metadata }).toEqual({ note: 'x' });
    expect(dataStart).toBe(safetensorsHeaderEnd(file, file.length));
    const [b, w] = [
      {
        dtype: 'F64',
        shape: [],
        elementCount: 1,
        elementBits: 64,
        begin: dataStart,
        end: dataStart + 8,
      },
      {
        dtype: 'F32',
        shape: [2, 3],
        elementCount: 6,
        elementBits: 32,
        begin: dataStart + 8,
        end: dataStart + 32,
      },
    ];
    expect({ ...tensors }).toEqual({ b, w });
    expect(decodeSafetensorsHeader(file.subarray(0, dataStart), file.length)).toEqual({
      tensors,
      metadata,
      dataStart,
    });
  });

  test.each([...ELEMENT_BITS])('lists %s, of %d bits', (dtype, bits) => {
    const [start, fileBytes] = fileOf(dtype, [4, 2], bits);
    const { w } = decodeSafetensorsHeader(start, fileBytes).tensors;
    expect(w).toMatchObject({ dtype, shape: [4, 2], elementCount: 8, elementBits: bits });
    const [longer, longerBytes] = fileOf(dtype, [4, 2], bits + 1);
    expect(caught(() => decodeSafetensorsHeader(longer, longerBytes))).toMatchObject({
      reason: 'size',
    });
  });

  test('lists types that are not known yet by their names', () => {
    const { w } = decodeSafetensorsHeader(...fileOf('F4_E2M1x2', [100], 37)).tensors;
    expect(w).toMatchObject({ dtype: 'F4_E2M1x2', elementCount: 100, elementBits: null });
    for (const [shape, bytes] of [
      [[0], 1],
      [[3], 0],
    ] as [number[], number][]) {
      expect(caught(() => decodeSafetensorsHeader(...fileOf('NEW', shape, bytes)))).toMatchObject({
        reason: 'size',
      });
    }
  });

  test('reads 200 gigabytes by their header', () => {
    const [start, fileBytes] = fileOf('BF16', [100_000_000_000], 200_000_000_000);
    expect(decodeSafetensorsHeader(start, fileBytes).tensors.w!.end).toBe(fileBytes);
  });

  test.each<[string, string, () => unknown]>([
    [
      'dtype',
      'a type that is no name',
      () => decodeSafetensorsHeader(...fileOf('\u001b[31m', [1], 1)),
    ],
    ['dtype', 'no type', () => decodeSafetensorsHeader(...fileOf('', [1], 1))],
    ['truncated', 'a file of 7 bytes', () => safetensorsHeaderEnd(new Uint8Array(7), 7)],
    [
      'header-length',
      'a header beyond the file',
      () => safetensorsHeaderEnd(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), 16),
    ],
    ['range', 'a file that is shorter', () => decodeSafetensorsHeader(fileOf('U8', [9], 9)[0])],
    [
      'trailing',
      'a file that is longer',
      () => decodeSafetensorsHeader(fileOf('U8', [9], 9)[0], 1000),
    ],
  ])('refuses by the reason "%s": %s', (reason, _, read) => {
    const error = caught(read);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ reason });
  });

  test.each<[string, () => unknown]>([
    ['no bytes at all', () => decodeSafetensorsHeader(null as never)],
    [
      'less than the header',
      () => decodeSafetensorsHeader(fileOf('U8', [9], 9)[0].subarray(0, 20), 1000),
    ],
    ['less than the length', () => safetensorsHeaderEnd(new Uint8Array(7), 1000)],
    ['a negative length', () => decodeSafetensorsHeader(fileOf('U8', [9], 9)[0], -1)],
  ])('refuses %s as an argument', (_, read) => {
    expect(caught(read)).toBeInstanceOf(ArgumentError);
  });
});
